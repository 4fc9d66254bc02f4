import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { builtinTopologies, type Topology } from '../src/index.ts'
import { eventually, exchange } from './line-client.ts'
import { killServer, onFreePorts, type ServerProcess, startServer } from './processes.ts'

const options = {
  keyText: 'a key for these tests only',
  recordsMax: 10_000,
  // A busy machine may be late; the tests are about who waits for whom, not for how long.
  timings: { ackMs: 5_000, silenceMs: 8_000 },
}
const run = promisify(execFile)

/** The servers that `name` can reach over servers that live. */
function reachable(topology: Topology, name: string, living: ReadonlySet<string>): Set<string> {
  const found = new Set([name])
  for (const from of found)
    for (const link of topology.links) {
      const other = link[0] === from ? link[1] : link[1] === from ? link[0] : undefined
      if (other !== undefined && living.has(other)) found.add(other)
    }
  return found
}

class Herd {
  readonly topology: Topology
  readonly servers = new Map<string, ServerProcess>()
  #said = 0

  constructor(topology: Topology) {
    this.topology = topology
  }

  async start(...names: string[]): Promise<void> {
    const started = await Promise.all(
      names.map((name) => startServer(name, this.topology, options)),
    )
    for (const server of started) this.servers.set(server.name, server)
  }

  async stop(): Promise<void> {
    await Promise.all([...this.servers.values()].map(killServer))
  }

  portOf(name: string): number {
    return this.servers.get(name)?.ports.clients ?? 0
  }

  /** A client tells `name` where it is; returns its AT line once `name` has answered. */
  async say(name: string): Promise<{ client: string; at: string }> {
    const client = `client${++this.#said}`
    const at = await exchange(this.portOf(name), `IAMAT ${client} +34.068930-118.445127 1.5\n`)
    assert.match(at, new RegExp(`^AT ${name} `))
    return { client, at }
  }

  /** Resolves when `name` answers for the client with that very AT line. */
  async expectKnown(name: string, { client, at }: { client: string; at: string }): Promise<void> {
    await eventually(() => this.#knows(name, { client, at }), `${name} to know ${client}`)
  }

  async #knows(name: string, { client, at }: { client: string; at: string }): Promise<boolean> {
    return (await exchange(this.portOf(name), `WHATSAT ${client} 0 0\n`)).startsWith(at)
  }

  async expectUnknown(name: string, { client }: { client: string }): Promise<void> {
    const answer = await exchange(this.portOf(name), `WHATSAT ${client} 0 0\n`)
    assert.equal(answer, `? WHATSAT ${client} 0 0\n`)
  }

  /** Resolves when all that should be linked are: without sync nobody is told what came before. */
  async untilLinked(): Promise<void> {
    const living = new Set(this.servers.keys())
    for (const from of living)
      await eventually(async () => {
        const said = await this.say(from)
        const others = [...reachable(this.topology, from, living)]
        const known = await Promise.all(others.map((to) => this.#knows(to, said)))
        return known.every(Boolean)
      }, `${from} to be linked`)
  }

  /** Every living server is told something, and every one that it can reach gets to know it. */
  async expectFlooding(): Promise<void> {
    const living = new Set(this.servers.keys())
    for (const from of living) {
      const said = await this.say(from)
      for (const to of reachable(this.topology, from, living)) await this.expectKnown(to, said)
    }
  }
}

for (const [name, builtin] of Object.entries(builtinTopologies))
  for (const sync of [false, true])
    test(`${name}, sync ${sync}: each two servers are killed and come back, and nothing stops`, async () => {
      const herd = new Herd({ ...(await onFreePorts(builtin)), sync })
      const names = builtin.servers.map((server) => server.name)
      try {
        await herd.start(...names)
        await herd.untilLinked()
        await herd.expectFlooding()
        for (let one = 0; one < names.length; one++)
          for (let other = one + 1; other < names.length; other++)
            await killTwo(herd, [names[one] as string, names[other] as string])
      } finally {
        await herd.stop()
      }
    })

async function killTwo(herd: Herd, pair: readonly [string, string]): Promise<void> {
  const victims = pair.map((name) => herd.servers.get(name) as ServerProcess)
  for (const name of pair) herd.servers.delete(name)
  const living = [...herd.servers.keys()]
  // The blow falls while clients speak.
  const traffic = Promise.all(living.map((name) => herd.say(name)))
  await Promise.all(victims.map(killServer))
  await traffic
  await herd.expectFlooding()
  const old = await herd.say(living[0] as string)

  await herd.start(...pair)
  for (const name of pair) {
    if (herd.topology.sync) await herd.expectKnown(name, old)
    else await herd.expectUnknown(name, old)
  }
  await herd.untilLinked()
  const back = await herd.say(pair[0])
  for (const name of herd.servers.keys()) await herd.expectKnown(name, back)
}

const fixed = [
  ['bailey', 'Bona', 10_001],
  ['goloman', 'Holiday', 11_492],
] as const

for (const [name, victim, port] of fixed)
  test(`${name} on its ports: a server is killed by its port, and its neighbours live on`, async () => {
    const topology = builtinTopologies[name] as Topology
    const herd = new Herd(topology)
    try {
      await herd.start(...topology.servers.map((server) => server.name))
      assert.equal(herd.portOf(victim), port)
      await herd.untilLinked()
      await herd.expectFlooding()
      const pids = await holdersOf(port)

      assert.deepEqual(
        pids,
        [herd.servers.get(victim)?.child.pid],
        'nobody else has a socket there',
      )
      for (const pid of pids) process.kill(pid)
      herd.servers.delete(victim)
      await herd.expectFlooding()
      await herd.start(victim)
      await herd.untilLinked()
      await herd.expectFlooding()
    } finally {
      await herd.stop()
    }
  })

/** Who has a socket on the port, as `lsof -ti:PORT` tells, but for this process and its clients. */
async function holdersOf(port: number): Promise<number[]> {
  const { stdout } = await run('lsof', [`-ti:${port}`])
  const pids = stdout.trim().split('\n').map(Number)
  return pids.filter((pid) => pid !== process.pid)
}

test('the update has reached the neighbours before the client has its answer', async () => {
  const herd = new Herd(await onFreePorts(builtinTopologies.goloman as Topology))
  try {
    await herd.start('Goloman', 'Hands', 'Wilkes')
    await herd.untilLinked()
    for (let round = 0; round < 100; round++) {
      const { client, at } = await herd.say('Goloman')
      for (const neighbour of ['Hands', 'Wilkes']) {
        const answer = await exchange(herd.portOf(neighbour), `WHATSAT ${client} 0 0\n`)
        assert.ok(answer.startsWith(at), `${neighbour} knows ${client} at once`)
      }
    }
  } finally {
    await herd.stop()
  }
})
