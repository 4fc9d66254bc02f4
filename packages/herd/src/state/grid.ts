import { BucketPool, capacityMin, triple } from './bucket-pool.ts'
import {
  columnOf,
  columns,
  levelMax,
  rootOf,
  rowOf,
  rows,
  unitsOf,
  unitsPerDegree,
} from './cell-places.ts'
import type { Box } from './geo.ts'

/** A cell with so many points is cut into four when one more comes; the finest ones just grow. */
const pointsOfCell = 32
/** Four cells with so few together become one again. */
const pointsOfMerged = 16

/**
 * Of a cell: where its bucket is, or its four cells, which lie side by side; how many points it holds;
 * and how many fit its bucket: 0 without one, -1 when it is cut. Four cells fill one line of the
 * processor's cache; those of a degree come first.
 */
const cell = { link: 0, points: 1, capacity: 2, stride: 4 } as const
const isCut = -1

/** Told of a point: its id, and its position in degrees. */
export type Visit = (id: number, latitude: number, longitude: number) => void

/**
 * Where points are: cells of a degree, each cut into four again and again where many points are.
 * The points of a cell lie side by side with their positions, so a search reads memory in runs: among
 * a million points it waits for memory more than it calculates. (Finkel and Bentley's quad tree, with
 * buckets.)
 */
export class Grid {
  #pool: BucketPool
  readonly #poolMax: number
  /** For each id the place of its triple. */
  readonly #places: Int32Array
  readonly #cells: Int32Array
  #cellsUsed = rows * columns
  /** The first of four cells that are free, plus 1; it holds the next. */
  #freeCells = 0
  /** Points on their way from one bucket to others. */
  readonly #moving = new Int32Array(pointsOfCell * triple.stride)

  constructor(pointsMax: number) {
    // Packed buckets are at most four times as roomy as needed; the largest may have to be doubled.
    this.#poolMax = pointsMax * 6 + 64
    this.#pool = new BucketPool(this.#poolMax)
    this.#places = new Int32Array(pointsMax)
    // On each level so many cells at most hold enough points to be cut.
    const cutMax = Math.ceil(pointsMax / (pointsOfMerged + 1)) * levelMax
    this.#cells = new Int32Array((rows * columns + cutMax * 4) * cell.stride)
  }

  /** Degrees of a point that the grid holds. */
  latitudeAt(id: number): number {
    const at = (this.#places[id] as number) * triple.stride
    return (this.#pool.numbers[at + triple.latitude] as number) / unitsPerDegree
  }

  longitudeAt(id: number): number {
    const at = (this.#places[id] as number) * triple.stride
    return (this.#pool.numbers[at + triple.longitude] as number) / unitsPerDegree
  }

  /** Enters a point that the grid does not hold. */
  add(id: number, latitude: number, longitude: number): void {
    this.#add(id, unitsOf(latitude), unitsOf(longitude))
  }

  /** Moves a point; almost free while it stays in its cell. */
  move(id: number, latitude: number, longitude: number): void {
    const { numbers } = this.#pool
    const at = (this.#places[id] as number) * triple.stride
    const north = unitsOf(latitude)
    const east = unitsOf(longitude)
    const oldNorth = numbers[at + triple.latitude] as number
    const oldEast = numbers[at + triple.longitude] as number
    if (this.#areTogether(oldNorth, oldEast, north, east)) {
      numbers[at + triple.latitude] = north
      numbers[at + triple.longitude] = east
      return
    }
    this.remove(id)
    this.#add(id, north, east)
  }

  remove(id: number): void {
    const { numbers } = this.#pool
    const place = this.#places[id] as number
    const row = rowOf(numbers[place * triple.stride + triple.latitude] as number)
    const column = columnOf(numbers[place * triple.stride + triple.longitude] as number)
    const cells = this.#cells
    let at = rootOf(row, column) * cell.stride
    let sparse = -1
    for (let level = 0; cells[at + cell.capacity] === isCut; level++) {
      const left = (cells[at + cell.points] as number) - 1
      cells[at + cell.points] = left
      if (left <= pointsOfMerged && sparse < 0) sparse = at
      at = this.#childAt(at, level, row, column)
    }
    this.#takeOut(at, place)
    if (sparse >= 0) this.#merge(sparse)
  }

  /** Calls `visit` for every point in `box`, and for those up to 1e-7 degrees around it. */
  visit(box: Box, visit: Visit): void {
    const south = Math.floor(box.south * unitsPerDegree)
    const north = Math.ceil(box.north * unitsPerDegree)
    const west = Math.floor(box.west * unitsPerDegree)
    const east = Math.ceil(box.east * unitsPerDegree)
    if (box.west <= box.east) this.#visitArea({ south, north, west, east }, visit)
    else {
      // Across the antimeridian; a box that goes all around meets its first points again at the end.
      const last = 180 * unitsPerDegree
      this.#visitArea({ south, north, west: Math.max(west, east + 1), east: last }, visit)
      this.#visitArea({ south, north, west: -last, east }, visit)
    }
  }

  #visitArea(area: Area, visit: Visit): void {
    const lastRow = rowOf(area.north) >> levelMax
    const firstColumn = columnOf(area.west) >> levelMax
    const lastColumn = columnOf(area.east) >> levelMax
    for (let row = rowOf(area.south) >> levelMax; row <= lastRow; row++)
      for (let column = firstColumn; column <= lastColumn; column++) {
        const at = (row * columns + column) * cell.stride
        if (this.#cells[at + cell.points] === 0) continue
        const south = (row - rows / 2) * unitsPerDegree
        const west = (column - columns / 2) * unitsPerDegree
        this.#visitCell(at, unitsPerDegree, south, west, area, visit)
      }
  }

  /** Visits a cell that is `size` units wide and has its corner at `south` and `west`. */
  #visitCell(
    at: number,
    size: number,
    south: number,
    west: number,
    area: Area,
    visit: Visit,
  ): void {
    const cells = this.#cells
    const link = cells[at + cell.link] as number
    if (cells[at + cell.capacity] !== isCut) {
      this.#visitBucket(link, cells[at + cell.points] as number, area, visit)
      return
    }
    const half = size / 2
    for (let part = 0; part < 4; part++) {
      const child = (link + part) * cell.stride
      const partSouth = south + (part >> 1) * half
      const partWest = west + (part & 1) * half
      if (cells[child + cell.points] === 0) continue
      // The outermost edges belong to the cells inside of them.
      if (partSouth > area.north || partSouth + half < area.south) continue
      if (partWest > area.east || partWest + half < area.west) continue
      this.#visitCell(child, half, partSouth, partWest, area, visit)
    }
  }

  #visitBucket(address: number, points: number, area: Area, visit: Visit): void {
    const { numbers } = this.#pool
    const { south, north, west, east } = area
    const end = (address + points) * triple.stride
    for (let at = address * triple.stride; at < end; at += triple.stride) {
      const latitude = numbers[at + triple.latitude] as number
      const longitude = numbers[at + triple.longitude] as number
      if (latitude < south || latitude > north || longitude < west || longitude > east) continue
      visit(numbers[at] as number, latitude / unitsPerDegree, longitude / unitsPerDegree)
    }
  }

  /** Tells whether two positions lie in one cell that is not cut. */
  #areTogether(north: number, east: number, otherNorth: number, otherEast: number): boolean {
    const row = rowOf(north)
    const column = columnOf(east)
    const apart = (row ^ rowOf(otherNorth)) | (column ^ columnOf(otherEast))
    if (apart === 0) return true
    if (apart >> levelMax !== 0) return false
    let at = rootOf(row, column) * cell.stride
    for (let level = 0; this.#cells[at + cell.capacity] === isCut; level++) {
      if (apart >> (levelMax - 1 - level) !== 0) return false
      at = this.#childAt(at, level, row, column)
    }
    return true
  }

  #childAt(at: number, level: number, row: number, column: number): number {
    const shift = levelMax - 1 - level
    const part = ((row >> shift) & 1) * 2 + ((column >> shift) & 1)
    return ((this.#cells[at + cell.link] as number) + part) * cell.stride
  }

  #add(id: number, north: number, east: number): void {
    const cells = this.#cells
    const row = rowOf(north)
    const column = columnOf(east)
    let at = rootOf(row, column) * cell.stride
    for (let level = 0; level < levelMax; level++) {
      if (cells[at + cell.capacity] !== isCut) {
        if ((cells[at + cell.points] as number) < pointsOfCell) break
        this.#cut(at, level)
      }
      cells[at + cell.points] = (cells[at + cell.points] as number) + 1
      at = this.#childAt(at, level, row, column)
    }
    this.#putIn(at, id, north, east)
  }

  /** Puts a point into the bucket of a cell that is not cut. */
  #putIn(at: number, id: number, north: number, east: number): void {
    const cells = this.#cells
    const points = cells[at + cell.points] as number
    if (points === cells[at + cell.capacity]) this.#grow(at)
    const place = (cells[at + cell.link] as number) + points
    const { numbers } = this.#pool
    numbers[place * triple.stride] = id
    numbers[place * triple.stride + triple.latitude] = north
    numbers[place * triple.stride + triple.longitude] = east
    this.#places[id] = place
    cells[at + cell.points] = points + 1
  }

  /** Takes the point at `place` out of the bucket of a cell; the last one takes its place. */
  #takeOut(at: number, place: number): void {
    const cells = this.#cells
    const { numbers } = this.#pool
    const link = cells[at + cell.link] as number
    const left = (cells[at + cell.points] as number) - 1
    cells[at + cell.points] = left
    const last = (link + left) * triple.stride
    if (link + left !== place) {
      for (let part = 0; part < triple.stride; part++)
        numbers[place * triple.stride + part] = numbers[last + part] as number
      this.#places[numbers[last] as number] = place
    }
    const capacity = cells[at + cell.capacity] as number
    if (left === 0) this.#empty(at)
    else if (capacity > capacityMin && left * 4 <= capacity) {
      const half = capacity / 2
      this.#pool.give(link + half, half)
      cells[at + cell.capacity] = half
    }
  }

  /** Gives a cell a bucket of twice the size, or its first one. */
  #grow(at: number): void {
    const cells = this.#cells
    const before = cells[at + cell.capacity] as number
    const capacity = before === 0 ? capacityMin : before * 2
    const link = this.#take(capacity)
    // Only now: to make room, all buckets may have been packed, this one too.
    const old = cells[at + cell.link] as number
    const oldCapacity = cells[at + cell.capacity] as number
    this.#copyBucket(old, cells[at + cell.points] as number, link)
    if (oldCapacity > 0) this.#pool.give(old, oldCapacity)
    cells[at + cell.link] = link
    cells[at + cell.capacity] = capacity
  }

  #copyBucket(from: number, points: number, to: number): void {
    const { numbers } = this.#pool
    const { stride } = triple
    numbers.copyWithin(to * stride, from * stride, (from + points) * stride)
    for (let place = to; place < to + points; place++)
      this.#places[numbers[place * stride] as number] = place
  }

  #take(capacity: number): number {
    const address = this.#pool.take(capacity)
    if (address >= 0) return address
    this.#pack()
    const packed = this.#pool.take(capacity)
    if (packed < 0) throw new RangeError('more points than the grid was made for')
    return packed
  }

  /** Moves all buckets into a new pool, none larger than it needs to be. */
  #pack(): void {
    const cells = this.#cells
    const { numbers } = this.#pool
    const { stride } = triple
    const pool = new BucketPool(this.#poolMax)
    this.#pool = pool
    for (let at = 0; at < this.#cellsUsed * cell.stride; at += cell.stride) {
      if ((cells[at + cell.capacity] as number) <= 0) continue
      const from = cells[at + cell.link] as number
      const points = cells[at + cell.points] as number
      const capacity = 2 ** Math.ceil(Math.log2(Math.max(capacityMin, points)))
      const to = pool.take(capacity)
      pool.numbers.set(numbers.subarray(from * stride, (from + points) * stride), to * stride)
      for (let place = to; place < to + points; place++)
        this.#places[pool.numbers[place * stride] as number] = place
      cells[at + cell.link] = to
      cells[at + cell.capacity] = capacity
    }
  }

  /** Cuts a full cell into four. */
  #cut(at: number, level: number): void {
    const cells = this.#cells
    const points = this.#moveOut(at, 0)
    const first = this.#takeCells()
    cells[at + cell.link] = first
    cells[at + cell.capacity] = isCut
    cells[at + cell.points] = points
    for (let index = 0; index < points; index++) {
      const [id, north, east] = this.#movingAt(index)
      this.#putIn(this.#childAt(at, level, rowOf(north), columnOf(east)), id, north, east)
    }
  }

  /** Makes one cell of all below it. */
  #merge(at: number): void {
    const points = this.#moveOut(at, 0)
    for (let index = 0; index < points; index++) {
      const [id, north, east] = this.#movingAt(index)
      this.#putIn(at, id, north, east)
    }
  }

  /** Takes all points of a cell and of all below it aside, gives the rest back, and returns how many. */
  #moveOut(at: number, aside: number): number {
    const cells = this.#cells
    const link = cells[at + cell.link] as number
    if (cells[at + cell.capacity] !== isCut) {
      const { numbers } = this.#pool
      const { stride } = triple
      const points = cells[at + cell.points] as number
      for (let index = 0; index < points * stride; index++)
        this.#moving[aside * stride + index] = numbers[link * stride + index] as number
      this.#empty(at)
      return aside + points
    }
    let count = aside
    for (let part = 0; part < 4; part++) count = this.#moveOut((link + part) * cell.stride, count)
    this.#giveCells(link)
    this.#empty(at)
    return count
  }

  #movingAt(index: number): [number, number, number] {
    const at = index * triple.stride
    const moving = this.#moving
    return [moving[at] as number, moving[at + 1] as number, moving[at + 2] as number]
  }

  /** Gives the bucket of a cell back, if it has one. */
  #empty(at: number): void {
    const cells = this.#cells
    const capacity = cells[at + cell.capacity] as number
    if (capacity > 0) this.#pool.give(cells[at + cell.link] as number, capacity)
    cells[at + cell.capacity] = 0
    cells[at + cell.points] = 0
  }

  #takeCells(): number {
    const free = this.#freeCells - 1
    if (free >= 0) {
      this.#freeCells = this.#cells[free * cell.stride] as number
      return free
    }
    const first = this.#cellsUsed
    this.#cellsUsed += 4
    if (this.#cellsUsed * cell.stride > this.#cells.length)
      throw new RangeError('more points than the grid was made for')
    return first
  }

  #giveCells(first: number): void {
    this.#cells[first * cell.stride] = this.#freeCells
    this.#freeCells = first + 1
  }
}

/** In units; the edges are included. */
interface Area {
  readonly south: number
  readonly north: number
  readonly west: number
  readonly east: number
}
