import assert from 'node:assert/strict'
import { test } from 'node:test'
import fastCheck from 'fast-check'
import { type Box, boxHas } from '../src/state/geo.ts'
import { Grid } from '../src/state/grid.ts'

const pointsMax = 200
const globe: Box = { south: -90, north: 90, west: -180, east: 180 }

/** A grid beside the simplest thing that could know the same. */
class Twin {
  readonly grid = new Grid(pointsMax)
  readonly points = new Map<number, readonly [number, number]>()

  put(id: number, latitude: number, longitude: number): void {
    if (this.points.has(id)) this.grid.move(id, latitude, longitude)
    else this.grid.add(id, latitude, longitude)
    this.points.set(id, [rounded(latitude), rounded(longitude)])
  }

  remove(id: number): void {
    if (this.points.delete(id)) this.grid.remove(id)
  }

  check(box: Box): void {
    const visited = new Map<number, readonly [number, number]>()
    this.grid.visit(box, (id, latitude, longitude) => {
      assert.ok(!visited.has(id), `${id} is visited once`)
      visited.set(id, [latitude, longitude])
    })
    for (const [id, at] of visited) assert.deepEqual(at, this.points.get(id))
    for (const [id, at] of this.points) {
      assert.deepEqual([this.grid.latitudeAt(id), this.grid.longitudeAt(id)], at)
      if (boxHas(box, at[0], at[1])) assert.ok(visited.has(id), `${id} is found`)
    }
  }
}

function rounded(degrees: number): number {
  // Plus 0, so that there is no -0.
  return Math.round(degrees * 1e7) / 1e7 + 0
}

/** Everywhere, at edges, and crowded: around one place, in one fine cell. */
const position = fastCheck.oneof(
  fastCheck.tuple(
    fastCheck.double({ min: -90, max: 90, noNaN: true }),
    fastCheck.double({ min: -180, max: 180, noNaN: true }),
  ),
  fastCheck.tuple(
    fastCheck.constantFrom(-90, 90, 0, 34, 34.015625, 33.9999999, -0.00000001),
    fastCheck.constantFrom(-180, 180, 0, -118, -118.015625, 179.9999999),
  ),
  fastCheck
    .tuple(
      fastCheck.double({ min: 0, max: 1, noNaN: true }),
      fastCheck.double({ min: 0, max: 1, noNaN: true }),
    )
    .map(([north, east]) => [34 + north, -118 + east] as [number, number]),
  fastCheck
    .tuple(
      fastCheck.double({ min: 0, max: 1, noNaN: true }),
      fastCheck.double({ min: 0, max: 1, noNaN: true }),
    )
    .map(([north, east]) => [34 + north / 64, -118 + east / 64] as [number, number]),
)

test('a grid knows where every point is, however they come, crowd, move and go', () => {
  const step = fastCheck.record({
    id: fastCheck.integer({ min: 0, max: pointsMax - 1 }),
    goes: fastCheck.integer({ min: 0, max: 5 }),
    at: position,
  })
  const corners = fastCheck.tuple(position, position)
  fastCheck.assert(
    fastCheck.property(
      fastCheck.array(step, { minLength: 100, maxLength: 1_500, size: 'max' }),
      fastCheck.array(corners, { maxLength: 5 }),
      (steps, boxes) => {
        const twin = new Twin()
        for (const { id, goes, at } of steps) {
          if (goes === 0) twin.remove(id)
          else twin.put(id, at[0], at[1])
        }
        twin.check(globe)
        for (const [one, other] of boxes) {
          const [south, north] = [Math.min(one[0], other[0]), Math.max(one[0], other[0])]
          // West above east: a box across the antimeridian.
          twin.check({ south, north, west: one[1], east: other[1] })
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('a full grid has room for all its points wherever they gather, again and again', () => {
  const twin = new Twin()
  const ids = Array.from({ length: pointsMax }, (_, id) => id)
  for (let round = 0; round < 30; round++) {
    for (const id of ids) twin.put(id, 10, round)
    twin.check(globe)
    // Each in a cell of its own; then a few in each; then all over one degree.
    for (const id of ids) twin.put(id, (id % 90) + 0.5, Math.floor(id / 90) * 10 + round)
    twin.check(globe)
    for (const id of ids) twin.put(id, Math.floor(id / 5) - 20, -round)
    twin.check({ south: -20, north: -18, west: -180, east: 180 })
    for (const id of ids) twin.put(id, 50 + ((id * 7) % 64) / 64, 7 + ((id * 13) % 64) / 64)
    twin.check(globe)
    for (const id of ids) if (id % (round + 2) === 0) twin.remove(id)
    twin.check(globe)
  }
})
