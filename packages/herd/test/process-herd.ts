import assert from 'node:assert/strict'
import type { Topology } from '../src/index.ts'
import { eventually, exchange } from './line-client.ts'
import { killServer, linksOf, type ServerProcess, startServer } from './processes.ts'

const options = {
  keyText: 'a key for these tests only',
  recordsMax: 10_000,
  // A busy machine may be late; the tests are about who waits for whom, not for how long.
  timings: { ackMs: 20_000, silenceMs: 30_000 },
}

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

/** The servers of a topology, each in a process, and clients that talk to them. */
export class Herd {
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

  /**
   * Resolves when all that should be linked are, at both ends: without sync nobody is told what came
   * before, and that news finds a way now says nothing about a link that is still missing.
   */
  async untilLinked(): Promise<void> {
    for (const [from, server] of this.servers) {
      const wanted = this.topology.links
        .filter((link) => link.includes(from))
        .map(([one, other]) => (one === from ? other : one))
        .filter((neighbour) => this.servers.has(neighbour))
      await eventually(async () => {
        const linked = await linksOf(server)
        return wanted.every((neighbour) => linked.includes(neighbour))
      }, `${from} to be linked`)
    }
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
