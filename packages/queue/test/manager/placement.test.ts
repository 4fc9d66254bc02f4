import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  type Place,
  Placement,
  placesAfterLeaving,
  placesForNewcomer,
} from '../../src/manager/placement.ts'

const brokerNames = (count: number) => Array.from({ length: count }, (_, at) => `broker${at}`)

const countsOf = (brokers: readonly string[], places: readonly Place[]) =>
  brokers.map((name) => places.filter(({ broker }) => broker === name).length)

const spread = (counts: readonly number[]) => Math.max(...counts) - Math.min(...counts)

/** Partitions anywhere, as after topics have come and gone. */
const scattered = fc
  .tuple(fc.integer({ min: 2, max: 6 }), fc.array(fc.nat(5), { maxLength: 60 }))
  .map(([count, owners]) => {
    const brokers = brokerNames(count)
    const places = owners.map((owner, at) => ({
      key: `t${at % 7}/${at}`,
      broker: brokers[owner % count] ?? '',
    }))
    return { brokers, places }
  })

const moved = (places: readonly Place[], changes: ReadonlyMap<string, string>) =>
  places.map(({ key, broker }) => ({ key, broker: changes.get(key) ?? broker }))

describe('placement', () => {
  it('spreads many topics of one partition evenly', () => {
    const brokers = brokerNames(3)
    const topics = ['message_queue', 'type_1', 'type_2', 'type_3', 'callbacks', 'mail']
    const placement = new Placement(brokers, [])
    const places = topics.map((topic) => ({
      key: `${topic}/0`,
      broker: placement.choose(`${topic}/0`),
    }))
    assert.deepEqual(countsOf(brokers, places), [2, 2, 2])
  })

  it('gives a new partition to one of those that have the fewest, the same each time', () => {
    fc.assert(
      fc.property(scattered, fc.string(), ({ brokers, places }, key) => {
        const before = countsOf(brokers, places)
        const chosen = new Placement(brokers, places).choose(key)
        assert.equal(before[brokers.indexOf(chosen)], Math.min(...before))
        assert.equal(new Placement(brokers, places).choose(key), chosen)
      }),
    )
  })

  it('lets the ring decide among equals', () => {
    const brokers = brokerNames(4)
    const first = Array.from({ length: 200 }, (_, at) =>
      new Placement(brokers, []).choose(`t${at}/0`),
    )
    for (const name of brokers) assert.ok(first.filter((one) => one === name).length > 20)
  })

  it('moves only what a leaving broker had, to those that have the fewest', () => {
    fc.assert(
      fc.property(scattered, ({ brokers, places }) => {
        const [gone = '', ...rest] = brokers
        const changes = placesAfterLeaving(rest, places)
        const homeless = places.filter(({ broker }) => broker === gone)
        assert.deepEqual([...changes.keys()].sort(), homeless.map(({ key }) => key).sort())
        const [before, after] = [countsOf(rest, places), countsOf(rest, moved(places, changes))]
        assert.ok(spread(after) <= Math.max(1, spread(before)))
      }),
    )
  })

  it('gives a newcomer its share and moves nothing else, no more than that needs', () => {
    fc.assert(
      fc.property(scattered, ({ brokers, places }) => {
        const all = [...brokers, 'newcomer']
        const changes = placesForNewcomer(all, places, 'newcomer')
        for (const to of changes.values()) assert.equal(to, 'newcomer')
        const [before, after] = [countsOf(all, places), countsOf(all, moved(places, changes))]
        assert.equal(after.at(-1), Math.floor(places.length / all.length))
        assert.ok(spread(after) <= Math.max(1, spread(before)))
        if (spread(before.slice(0, -1)) <= 1) assert.ok(spread(after) <= 1)
      }),
    )
  })
})
