import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock, seededRandom } from '@drover/kernel'
import fastCheck from 'fast-check'
import { builtinTopologies, createTopology, serveHerd, stormHerd } from '../src/index.ts'
import { createCommand, readCommand } from '../src/protocol/command.ts'
import { distanceKm } from '../src/state/geo.ts'
import { createStorm } from '../src/storm.ts'
import { Walker } from '../src/walker.ts'
import { eventually } from './line-client.ts'
import { onFreePorts } from './processes.ts'

test('whoever walks stays in its circle and says lines that every server takes', () => {
  const degrees = (most: number) => fastCheck.double({ min: -most, max: most, noNaN: true })
  fastCheck.assert(
    fastCheck.property(
      fastCheck.integer(),
      degrees(75),
      degrees(180),
      fastCheck.double({ min: 0.1, max: 20_016, noNaN: true }),
      (seed, latitude, longitude, withinKm) => {
        const walker = new Walker('w', { latitude, longitude }, withinKm, seededRandom(seed))
        const command = createCommand()
        for (let step = 0; step < 50; step++) {
          const line = Buffer.from(walker.walk(4, { seconds: 1_700_000_000 + step, nanos: 7 }))
          readCommand(line, 0, line.length, 'classic', command)
          assert.equal(command.kind, 'iamat', `${line}`)
          const away = distanceKm(latitude, longitude, command.latitude, command.longitude)
          assert.ok(away <= withinKm + 0.001, `${away} km away, ${withinKm} allowed: ${line}`)
        }
      },
    ),
  )
})

test('one seed walks one way, and clients do walk', () => {
  const walk = (seed: number) => {
    const walker = new Walker('w', { latitude: 34, longitude: -118 }, 20, seededRandom(seed))
    return Array.from({ length: 20 }, (_, step) => walker.walk(4, { seconds: step, nanos: 0 }))
  }

  assert.deepEqual(walk(3), walk(3))
  assert.notDeepEqual(walk(3), walk(4))
  const places = walk(3).map((line) => line.split(' ')[2])
  assert.ok(new Set(places).size > 15, `${places}`)
})

test('a storm reaches every server, none is refused, and it goes on without those that are gone', async () => {
  const topology = await onFreePorts(createTopology('two', { A: 1, B: 2 }, [['A', 'B']]))
  const key = Buffer.from('a key for this test only')
  const serve = (name: string) => serveHerd(name, topology, { key, recordsMax: 1_000 })
  const a = await serve('A')
  let b = await serve('B')
  await eventually(() => a.node.links.length === 1, 'the link')
  const storm = createStorm({ topology, clients: 50, rate: 2_000, random: seededRandom(1) })
  await storm.start()
  await eventually(() => storm.counts.answered > 400, '400 answers')
  await eventually(() => a.node.state.count === 50 && b.node.state.count === 50, 'all at both')
  assert.equal(storm.counts.refused, 0)
  assert.deepEqual(storm.connected, ['A', 'B'])

  await b.stop()
  await eventually(() => storm.connected.length === 1, 'the storm to notice')
  const { answered } = storm.counts
  await eventually(() => storm.counts.answered > answered + 100, '100 more answers')
  b = await serve('B')
  await eventually(() => storm.connected.length === 2, 'the storm to find it again')
  await storm.stop()
  await Promise.all([a.stop(), b.stop()])
})

test('a storm without a server owes nothing, and bounds are refused', async () => {
  const clock = createManualClock()
  const topology = await onFreePorts(createTopology('none', { A: 1 }, []))
  const storm = createStorm({ topology, clients: 3, rate: 100, clock })
  await storm.start()
  await clock.advance(10_000)
  assert.ok(storm.counts.skipped > 900)
  assert.equal(storm.counts.said, 0)
  await storm.stop()

  const bailey = builtinTopologies.bailey as never
  for (const wrong of [{ clients: 0 }, { clients: 1.5 }, { rate: 0 }, { rate: 30_000 }])
    assert.throws(() => createStorm({ topology: bailey, clients: 1, rate: 1, ...wrong }), {
      code: 'HERD_QUERY_INVALID',
    })
})

test('a storm that nobody answers says so', async () => {
  const topology = await onFreePorts(createTopology('none', { A: 1 }, []))
  const options = { topology, clients: 1, rate: 1 }
  await assert.rejects(
    stormHerd(options, () => {}, AbortSignal.abort()),
    { code: 'HERD_SILENT' },
  )
})
