import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { builtinTopologies, type Topology } from '../src/index.ts'
import { Herd } from './process-herd.ts'

const run = promisify(execFile)

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
      const servers = [...herd.servers.values()].map(({ child }) => child.pid)
      const pids = await holdersOf(port, servers)

      assert.deepEqual(
        pids,
        [herd.servers.get(victim)?.child.pid],
        'no neighbour has a socket there',
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

/** Which of the servers have a socket on the port, as `lsof -ti:PORT` tells. */
async function holdersOf(
  port: number,
  servers: readonly (number | undefined)[],
): Promise<number[]> {
  const { stdout } = await run('lsof', [`-ti:${port}`])
  const pids = stdout.trim().split('\n').map(Number)
  return pids.filter((pid) => servers.includes(pid))
}
