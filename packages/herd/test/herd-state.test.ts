import assert from 'node:assert/strict'
import { test } from 'node:test'
import fastCheck from 'fast-check'
import { createMemoryDisk } from '../src/state/disk.ts'
import { Fences } from '../src/state/fences.ts'
import { boxHas, distanceKm } from '../src/state/geo.ts'
import { HerdState, refused, type StateLimits } from '../src/state/herd-state.ts'
import { clientsInBox, clientsWithin, nearestClients } from '../src/state/search.ts'
import { readSnapshot, writeSnapshot } from '../src/state/snapshot.ts'
import { recordOf, type Said, textsOf } from './records.ts'

function createState(limits: Partial<StateLimits> = {}): HerdState {
  return new HerdState({
    recordsMax: 1_000,
    textBytesMax: 1_000_000,
    lifetimeMs: 0,
    hashSeed: 5,
    ...limits,
  })
}

const latitude = fastCheck.oneof(
  fastCheck.double({ min: -90, max: 90, noNaN: true }),
  fastCheck.constantFrom(-90, 90, 0, 34.07, 89.999),
)
const longitude = fastCheck.oneof(
  fastCheck.double({ min: -180, max: 180, noNaN: true }),
  fastCheck.constantFrom(-180, 180, 0, 179.999, -179.999, -118.4),
)
const said = fastCheck.record({
  key: fastCheck.constantFrom('a', 'b', 'c', 'kiwi.cs.ucla.edu', 'x'.repeat(3_000)),
  seconds: fastCheck.integer({ min: 1, max: 4 }),
  nanos: fastCheck.constantFrom(0, 1, 999_999_999),
  latitude,
  longitude,
})

test('any order of arrival ends in the same state, and the newest wins', () => {
  const heard = fastCheck.array(fastCheck.tuple(fastCheck.constantFrom('A', 'B', 'C'), said))
  fastCheck.assert(
    fastCheck.property(heard, fastCheck.infiniteStream(fastCheck.nat()), (records, chance) => {
      const one = createState()
      const other = createState()
      const put = (state: HerdState, [name, what]: readonly [string, Said]) =>
        state.put(recordOf(state.origins.enter(name, 1), what), 0)
      for (const record of records) put(one, record)
      const shuffled = records
        .map((record) => ({ record, at: chance.next().value }))
        .sort((first, second) => first.at - second.at)
      for (const { record } of shuffled) put(other, record)

      assert.deepEqual(textsOf(other), textsOf(one))
    }),
  )
})

test('keys are told apart byte by byte, also by kind', () => {
  const state = createState()
  const origin = state.origins.enter('A', 1)
  const keys = Array.from({ length: 500 }, (_, index) => `key${index % 250}`)
  keys.forEach((key, index) => {
    const kind = index < 250 ? 0 : 7
    state.put(recordOf(origin, { key, kind, value: kind === 7 ? `value ${index}` : '+1+2' }), 0)
  })

  assert.equal(state.count, 500)
  const bytes = Buffer.from('key17')
  const slot = state.find(7, bytes, 0, bytes.length)
  const { text, textStart, valueBytes } = state.recordAt(slot)
  const start = textStart + 12 + 1 + 5 + 1
  assert.equal(Buffer.from(text.subarray(start, start + valueBytes)).toString(), 'value 267')
})

test('a full state refuses new clients, not known ones', () => {
  const state = createState({ recordsMax: 2 })
  const origin = state.origins.enter('A', 1)
  for (const key of ['a', 'b']) state.put(recordOf(origin, { key }), 0)

  assert.equal(state.put(recordOf(origin, { key: 'c' }), 0), refused.full)
  assert.ok(state.put(recordOf(origin, { key: 'a', seconds: 2 }), 0) >= 0)
})

test('a full store of texts refuses, and what was given back is used again', () => {
  const state = createState({ textBytesMax: 4_096, recordsMax: 100 })
  const origin = state.origins.enter('A', 1)
  assert.equal(state.put(recordOf(origin, { key: 'x'.repeat(5_000) }), 0), refused.full)
  for (let seconds = 1; seconds < 500; seconds++) {
    const key = 'moves'
    const value = `+1.${'0'.repeat(seconds % 300)}1+2`
    assert.ok(state.put(recordOf(origin, { key, seconds, value }), 0) >= 0, `update ${seconds}`)
  }
})

test('a record whose lifetime is over is unknown, swept, refused, and its slot used again', () => {
  const state = createState({ lifetimeMs: 1_000, recordsMax: 1 })
  const origin = state.origins.enter('A', 1)
  const slot = state.put(recordOf(origin, { key: 'a', heardMs: 500 }), 600)
  assert.equal(state.isLive(slot, 1_499), true)
  assert.equal(state.isLive(slot, 1_500), false)
  assert.equal(state.put(recordOf(origin, { key: 'b', heardMs: 400 }), 1_500), refused.expired)

  state.sweep(10, 1_500)
  assert.equal(state.count, 0)
  assert.equal(state.put(recordOf(origin, { key: 'b', heardMs: 1_500 }), 1_500), 0)
})

test('searches find what looking at everybody finds, at the poles and the antimeridian too', () => {
  const points = fastCheck.array(fastCheck.tuple(latitude, longitude), { maxLength: 60 })
  const radius = fastCheck.oneof(
    fastCheck.double({ min: 0, max: 20_016, noNaN: true }),
    fastCheck.constantFrom(0, 1, 50, 1_000),
  )
  fastCheck.assert(
    fastCheck.property(points, latitude, longitude, radius, (places, north, east, radiusKm) => {
      const state = createState()
      const origin = state.origins.enter('A', 1)
      places.forEach(([pointNorth, pointEast], index) => {
        const key = `c${index % 40}`
        const record = { key, seconds: index + 1, latitude: pointNorth, longitude: pointEast }
        state.put(recordOf(origin, record), 0)
      })
      const slots = Array.from({ length: state.slotsEnd }, (_, slot) => slot)
      const away = (slot: number) =>
        distanceKm(north, east, state.latitudeAt(slot), state.longitudeAt(slot))
      const center = { latitude: north, longitude: east }

      const found = clientsWithin(state, center, radiusKm, 100, 0).map((hit) => hit.slot)
      assert.deepEqual(
        found.toSorted((a, b) => a - b),
        slots.filter((slot) => away(slot) <= radiusKm),
      )
      const nearest = nearestClients(state, center, 5, 0).map((hit) => hit.distanceKm)
      assert.deepEqual(
        nearest,
        slots
          .map(away)
          .sort((a, b) => a - b)
          .slice(0, 5),
      )
      const box = { south: Math.min(north, 80), north: 85, west: east, east: -east }
      assert.deepEqual(
        clientsInBox(state, box, 100, 0).sort((a, b) => a - b),
        slots.filter((slot) => boxHas(box, state.latitudeAt(slot), state.longitudeAt(slot))),
      )
    }),
    { numRuns: 500 },
  )
})

test('fences tell of every crossing and of no other, and nothing once they are gone', () => {
  const step = fastCheck.tuple(latitude, longitude)
  const circle = fastCheck.tuple(
    latitude,
    longitude,
    fastCheck.double({ min: 0.001, max: 9_000, noNaN: true }),
  )
  fastCheck.assert(
    fastCheck.property(
      fastCheck.array(circle, { minLength: 1, maxLength: 8 }),
      fastCheck.array(step, { maxLength: 20 }),
      (circles, path) => {
        const fences = new Fences()
        const told: string[] = []
        const removals = circles.map(([north, east, radiusKm], index) =>
          fences.add(
            { kind: 'circle', center: { latitude: north, longitude: east }, radiusKm },
            (crossing) => told.push(`${index} ${crossing}`),
          ),
        )
        const isIn = (index: number, at: readonly [number, number] | undefined) => {
          const [north, east, radiusKm] = circles[index] as [number, number, number]
          return at !== undefined && distanceKm(north, east, at[0], at[1]) <= radiusKm
        }
        let from: readonly [number, number] | undefined
        for (const at of [...path, undefined]) {
          told.length = 0
          const asPosition = (place: readonly [number, number] | undefined) =>
            place && { latitude: place[0], longitude: place[1] }
          fences.moved(1, asPosition(from), asPosition(at))
          const expected = circles.flatMap((_, index) => {
            const [was, is] = [isIn(index, from), isIn(index, at)]
            if (!was && !is) return []
            return `${index} ${was && is ? 'move' : is ? 'enter' : 'leave'}`
          })
          assert.deepEqual(told.toSorted(), expected.toSorted())
          from = at
        }
        for (const remove of removals) remove()
        told.length = 0
        for (const [north, east] of path)
          fences.moved(1, undefined, { latitude: north, longitude: east })
        assert.deepEqual([told, fences.count], [[], 0])
      },
    ),
    { numRuns: 300 },
  )
})

test('a snapshot brings everything back, what is known of each origin too', async () => {
  const disk = createMemoryDisk()
  const state = createState()
  for (const name of ['A', 'B']) {
    const origin = state.origins.enter(name, 7)
    for (let client = 0; client < 100; client++)
      state.put(recordOf(origin, { key: `${name}${client}`, sequence: client + 1 }), 0)
    origin.sequence = 100
  }
  await disk.replace('s', writeSnapshot(state, 0))
  const again = createState()
  readSnapshot((await disk.read('s')) as Uint8Array, again, 0)

  assert.deepEqual(textsOf(again), textsOf(state))
  assert.equal(again.origins.find('B', 7)?.sequence, 100)
})

test('a snapshot that was torn leaves the old one, and a changed byte is noticed', async () => {
  const disk = createMemoryDisk()
  const state = createState()
  state.put(recordOf(state.origins.enter('A', 1), { key: 'a' }), 0)
  await disk.replace('s', writeSnapshot(state, 0))
  const whole = (await disk.read('s')) as Uint8Array
  disk.tear()
  await assert.rejects(disk.replace('s', writeSnapshot(createState(), 0)), /torn/)
  assert.deepEqual(await disk.read('s'), whole)

  for (let at = 0; at < whole.length; at++) {
    const broken = Uint8Array.from(whole)
    broken[at] = (broken[at] as number) ^ 0x10
    assert.throws(() => readSnapshot(broken, createState(), 0), { code: 'SNAPSHOT_BROKEN' })
    assert.throws(() => readSnapshot(whole.subarray(0, at), createState(), 0), {
      code: 'SNAPSHOT_BROKEN',
    })
  }
})
