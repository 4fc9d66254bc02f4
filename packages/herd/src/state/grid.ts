import type { Box } from './geo.ts'
import { IndexTable } from './index-table.ts'

/** Fine cells per degree: 1/64 degree is 1.7 km on the equator. */
const finePerDegree = 64
const fineColumns = 360 * finePerDegree
const fineRows = 180 * finePerDegree
const coarseColumns = 360
const coarseRows = 180

/** Positions are whole numbers in units of 1e-7 degrees, about a centimetre. */
const unitsPerDegree = 1e7

/**
 * Numbers of one point lie together, and so do those of one entry: a search among a million points
 * waits for memory more than it calculates.
 */
const point = { latitude: 0, longitude: 1, next: 2, previous: 3, entry: 4, stride: 5 } as const
const entryAt = { cell: 0, first: 1, next: 2, previous: 3, stride: 4 } as const

/**
 * Where points are, on two grids: coarse cells of a degree list the fine cells that hold points. A
 * fine cell that holds any is an entry; its points are a list.
 */
export class Grid {
  readonly #pointsMax: number
  readonly #points: Int32Array
  readonly #entries: Int32Array
  readonly #table: IndexTable
  readonly #coarseFirst = new Int32Array(coarseColumns * coarseRows).fill(-1)
  readonly #coarseEntries = new Int32Array(coarseColumns * coarseRows)
  #freeEntry = -1
  #entriesUsed = 0

  constructor(pointsMax: number) {
    this.#pointsMax = pointsMax
    this.#points = new Int32Array(pointsMax * point.stride)
    this.#entries = new Int32Array(pointsMax * entryAt.stride)
    this.#table = new IndexTable(pointsMax)
  }

  /** Degrees of a point that the grid holds. */
  latitudeAt(id: number): number {
    return (this.#points[id * point.stride + point.latitude] as number) / unitsPerDegree
  }

  longitudeAt(id: number): number {
    return (this.#points[id * point.stride + point.longitude] as number) / unitsPerDegree
  }

  /** Enters a point that the grid does not hold. */
  add(id: number, latitude: number, longitude: number): void {
    this.#enter(id, this.#place(id, latitude, longitude))
  }

  /** Moves a point; almost free while it stays in its cell. */
  move(id: number, latitude: number, longitude: number): void {
    const before = cellAt(this.latitudeAt(id), this.longitudeAt(id))
    const cell = this.#place(id, latitude, longitude)
    if (cell === before) return
    this.remove(id)
    this.#enter(id, cell)
  }

  remove(id: number): void {
    const points = this.#points
    const at = id * point.stride
    const next = points[at + point.next] as number
    const previous = points[at + point.previous] as number
    const entry = points[at + point.entry] as number
    if (next >= 0) points[next * point.stride + point.previous] = previous
    if (previous >= 0) points[previous * point.stride + point.next] = next
    else {
      this.#entries[entry * entryAt.stride + entryAt.first] = next
      if (next < 0) this.#dropEntry(entry)
    }
  }

  /** Calls `visit` for every point whose cell touches `box`: those in the box and some around it. */
  visit(box: Box, visit: (point: number) => void): void {
    const south = rowAt(box.south)
    const north = rowAt(box.north)
    const west = columnAt(box.west)
    const east = columnAt(box.east)
    if (box.west <= box.east) this.#visitColumns(south, north, west, east, visit)
    else {
      // Across the antimeridian; a box that goes all around meets its first column again at the end.
      this.#visitColumns(south, north, Math.max(west, east + 1), fineColumns - 1, visit)
      this.#visitColumns(south, north, 0, east, visit)
    }
  }

  #visitColumns(
    south: number,
    north: number,
    west: number,
    east: number,
    visit: (point: number) => void,
  ): void {
    const toCoarse = (fine: number) => Math.floor(fine / finePerDegree)
    for (let row = toCoarse(south); row <= toCoarse(north); row++) {
      for (let column = toCoarse(west); column <= toCoarse(east); column++) {
        const coarse = row * coarseColumns + column
        if ((this.#coarseFirst[coarse] as number) < 0) continue
        const area: Area = {
          south: Math.max(south, row * finePerDegree),
          north: Math.min(north, row * finePerDegree + finePerDegree - 1),
          west: Math.max(west, column * finePerDegree),
          east: Math.min(east, column * finePerDegree + finePerDegree - 1),
        }
        const cells = (area.north - area.south + 1) * (area.east - area.west + 1)
        if (cells < (this.#coarseEntries[coarse] as number)) this.#probe(area, visit)
        else this.#scan(coarse, area, visit)
      }
    }
  }

  /** Looks every fine cell of the area up: right when they are few. */
  #probe(area: Area, visit: (point: number) => void): void {
    for (let row = area.south; row <= area.north; row++)
      for (let column = area.west; column <= area.east; column++) {
        const entry = this.#find(row * fineColumns + column)
        if (entry >= 0) this.#visitEntry(entry, visit)
      }
  }

  /** Goes through the coarse cell's own fine cells: right when those are fewer. */
  #scan(coarse: number, area: Area, visit: (point: number) => void): void {
    const entries = this.#entries
    let entry = this.#coarseFirst[coarse] as number
    while (entry >= 0) {
      const at = entry * entryAt.stride
      const cell = entries[at + entryAt.cell] as number
      const row = Math.floor(cell / fineColumns)
      const column = cell - row * fineColumns
      if (row >= area.south && row <= area.north && column >= area.west && column <= area.east)
        this.#visitEntry(entry, visit)
      entry = entries[at + entryAt.next] as number
    }
  }

  #visitEntry(entry: number, visit: (point: number) => void): void {
    let id = this.#entries[entry * entryAt.stride + entryAt.first] as number
    while (id >= 0) {
      const next = this.#points[id * point.stride + point.next] as number
      visit(id)
      id = next
    }
  }

  /** Notes where a point is, and returns the cell of that: of the rounded position, as found later. */
  #place(id: number, latitude: number, longitude: number): number {
    const at = id * point.stride
    this.#points[at + point.latitude] = Math.round(latitude * unitsPerDegree)
    this.#points[at + point.longitude] = Math.round(longitude * unitsPerDegree)
    return cellAt(this.latitudeAt(id), this.longitudeAt(id))
  }

  #enter(id: number, cell: number): void {
    let entry = this.#find(cell)
    if (entry < 0) entry = this.#addEntry(cell)
    const points = this.#points
    const at = id * point.stride
    const first = this.#entries[entry * entryAt.stride + entryAt.first] as number
    points[at + point.next] = first
    points[at + point.previous] = -1
    points[at + point.entry] = entry
    if (first >= 0) points[first * point.stride + point.previous] = id
    this.#entries[entry * entryAt.stride + entryAt.first] = id
  }

  #find(cell: number): number {
    const table = this.#table
    let at = table.start(hashCell(cell))
    for (let entry = table.at(at); entry >= 0; entry = table.at(at)) {
      if (this.#cellOf(entry) === cell) return entry
      at = table.after(at)
    }
    return -1
  }

  #cellOf(entry: number): number {
    return this.#entries[entry * entryAt.stride + entryAt.cell] as number
  }

  #addEntry(cell: number): number {
    const entries = this.#entries
    let entry = this.#freeEntry
    if (entry >= 0) this.#freeEntry = entries[entry * entryAt.stride + entryAt.next] as number
    else entry = this.#entriesUsed++
    if (entry >= this.#pointsMax) throw new RangeError('more cells than points')
    const coarse = coarseOf(cell)
    const first = this.#coarseFirst[coarse] as number
    const at = entry * entryAt.stride
    entries[at + entryAt.cell] = cell
    entries[at + entryAt.first] = -1
    entries[at + entryAt.next] = first
    entries[at + entryAt.previous] = -1
    if (first >= 0) entries[first * entryAt.stride + entryAt.previous] = entry
    this.#coarseFirst[coarse] = entry
    this.#coarseEntries[coarse] = (this.#coarseEntries[coarse] as number) + 1
    this.#table.add(hashCell(cell), entry)
    return entry
  }

  #dropEntry(entry: number): void {
    const entries = this.#entries
    const at = entry * entryAt.stride
    const cell = this.#cellOf(entry)
    const coarse = coarseOf(cell)
    const next = entries[at + entryAt.next] as number
    const previous = entries[at + entryAt.previous] as number
    if (next >= 0) entries[next * entryAt.stride + entryAt.previous] = previous
    if (previous >= 0) entries[previous * entryAt.stride + entryAt.next] = next
    else this.#coarseFirst[coarse] = next
    this.#coarseEntries[coarse] = (this.#coarseEntries[coarse] as number) - 1
    this.#table.remove(hashCell(cell), entry, (other) => hashCell(this.#cellOf(other)))
    entries[at + entryAt.next] = this.#freeEntry
    this.#freeEntry = entry
  }
}

/** Rows and columns of fine cells, the last ones included. */
interface Area {
  readonly south: number
  readonly north: number
  readonly west: number
  readonly east: number
}

function rowAt(latitude: number): number {
  return Math.max(0, Math.min(fineRows - 1, Math.floor((latitude + 90) * finePerDegree)))
}

function columnAt(longitude: number): number {
  return Math.max(0, Math.min(fineColumns - 1, Math.floor((longitude + 180) * finePerDegree)))
}

function cellAt(latitude: number, longitude: number): number {
  return rowAt(latitude) * fineColumns + columnAt(longitude)
}

function coarseOf(cell: number): number {
  const row = Math.floor(cell / fineColumns)
  const column = cell - row * fineColumns
  return Math.floor(row / finePerDegree) * coarseColumns + Math.floor(column / finePerDegree)
}

/** Spreads neighbouring cells over the table (the finalizer of MurmurHash3, public domain). */
function hashCell(cell: number): number {
  let hash = Math.imul(cell ^ (cell >>> 16), 0x85eb_ca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
