import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builtinTopologies, type Topology } from '../src/index.ts'
import { exchange } from './line-client.ts'
import { Herd } from './process-herd.ts'
import { killServer, onFreePorts, type ServerProcess } from './processes.ts'

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

for (const topology of Object.values(builtinTopologies))
  test(`${topology.name} runs on its own ports`, async () => {
    const herd = new Herd(topology)
    try {
      await herd.start(...topology.servers.map((server) => server.name))
      for (const { name, address } of topology.servers)
        assert.equal(herd.portOf(name), address.port)
      await herd.untilLinked()
      await herd.expectFlooding()
    } finally {
      await herd.stop()
    }
  })

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
