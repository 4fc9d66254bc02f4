import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AutoscaleSpec, autoscaleDefaults, type GroupEvent } from '@drover/supervisor'
import { type LoadHistory, lookAtLoad } from '../src/autoscale.ts'
import { createMemoryGroup } from './fixtures/memory-group.ts'

const spec: AutoscaleSpec = {
  least: 1,
  most: 8,
  inFlightTarget: 10,
  growCooldownMs: 5_000,
  shrinkCooldownMs: 60_000,
}

/** Looks once a second at the loads given, and returns each change with its second. */
function follow(loads: readonly number[], replicas: number, rules = spec): [number, number][] {
  const changes: [number, number][] = []
  let history: LoadHistory | undefined
  let count = replicas
  for (const [second, inFlight] of loads.entries()) {
    const look = lookAtLoad(history, { nowMs: second * 1_000, inFlight, replicas: count }, rules)
    history = look.history
    assert.ok(history.wants.length <= rules.most)
    if (!look.change) continue
    count = look.change.count
    changes.push([second, count])
  }
  return changes
}

const seconds = (length: number, inFlight: number) => Array<number>(length).fill(inFlight)

test('it grows at once to what the load needs, rounded up', () => {
  assert.deepEqual(follow([5, 31], 1), [[1, 4]])
})

test('it grows again only after the cool-down', () => {
  assert.deepEqual(follow([11, 21, 31, 41, 51, 61], 1), [
    [0, 2],
    [5, 7],
  ])
})

test('it never goes over the most nor under the least', () => {
  assert.deepEqual(follow([1_000_000], 2), [[0, 8]])
  assert.deepEqual(follow(seconds(61, 0), 2), [[60, 1]])
  assert.deepEqual(follow([0], 0), [[0, 1]])
})

test('it shrinks to the highest need of the cool-down, not to that of the moment', () => {
  const loads = [...seconds(30, 0), 35, ...seconds(60, 0), ...seconds(60, 0)]

  assert.deepEqual(follow(loads, 6), [
    [60, 4],
    [120, 1],
  ])
})

test('waves that come again within the cool-down change nothing', () => {
  const wave = [...seconds(10, 75), ...seconds(40, 5)]

  assert.deepEqual(follow([...wave, ...wave, ...wave, ...wave], 8), [])
})

test('it does not shrink before it has watched for the cool-down', () => {
  assert.deepEqual(follow(seconds(60, 0), 5), [])
})

test('each decision tells its figures', () => {
  const grown = lookAtLoad(undefined, { nowMs: 0, inFlight: 31, replicas: 2 }, spec)
  assert.equal(
    grown.change?.reason,
    'autoscale: 31 requests under way, 10 for each replica wanted: 2 → 4',
  )

  const later = lookAtLoad(grown.history, { nowMs: 61_000, inFlight: 7, replicas: 4 }, spec)
  assert.equal(
    later.change?.reason,
    'autoscale: at most 7 requests under way in the last 60 s, 10 for each replica wanted: 4 → 1',
  )
})

test('a group grows and shrinks by the load that it is told', async () => {
  const { group, clock, events, names } = createMemoryGroup({
    replicas: 1,
    autoscale: { ...autoscaleDefaults, inFlightTarget: 10 },
  })
  await group.start()

  group.observeLoad(25)
  await clock.advance(60_000)
  assert.equal(names().length, 3)

  group.observeLoad(0)
  await clock.advance(1)
  group.observeLoad(0)
  await clock.advance(0)
  assert.equal(names().length, 1)
  const scaled = events.filter(
    (event): event is GroupEvent & { kind: 'scaled' } => event.kind === 'scaled',
  )
  assert.ok(scaled.every(({ reason }) => reason.startsWith('autoscale: ')))
})

test('a group without autoscaling keeps its number', async () => {
  const { group, names } = createMemoryGroup({ replicas: 2 })
  await group.start()

  group.observeLoad(10_000)

  assert.equal(names().length, 2)
  assert.throws(() => group.observeLoad(Number.NaN), RangeError)
})
