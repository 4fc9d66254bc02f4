import type { Box } from './geo.ts'
import { IndexTable } from './index-table.ts'

/** Fine cells per degree: 1/64 degree is 1.7 km on the equator. */
const finePerDegree = 64
const fineColumns = 360 * finePerDegree
const fineRows = 180 * finePerDegree
const coarseColumns = 360
const coarseRows = 180

/** Where points are, on two grids: coarse cells of a degree list the fine cells that hold points. */
export class Grid {
  readonly #clientsMax: number
  /** Per point: neighbours in its fine cell's list, and that cell's entry; -1 for none. */
  readonly #next: Int32Array
  readonly #previous: Int32Array
  readonly #entryOf: Int32Array
  /** Per entry: its fine cell, the first point, and its place in the coarse cell's list. */
  readonly #cell: Int32Array
  readonly #first: Int32Array
  readonly #nextEntry: Int32Array
  readonly #previousEntry: Int32Array
  readonly #table: IndexTable
  readonly #coarseFirst = new Int32Array(coarseColumns * coarseRows).fill(-1)
  readonly #coarseEntries = new Int32Array(coarseColumns * coarseRows)
  #freeEntry = -1
  #entriesUsed = 0

  constructor(clientsMax: number) {
    this.#clientsMax = clientsMax
    const list = () => new Int32Array(clientsMax)
    this.#next = list()
    this.#previous = list()
    this.#entryOf = list()
    this.#cell = list()
    this.#first = list()
    this.#nextEntry = list()
    this.#previousEntry = list()
    this.#table = new IndexTable(clientsMax)
  }

  /** Enters a point that the grid does not hold. */
  add(point: number, latitude: number, longitude: number): void {
    this.#enter(point, cellAt(latitude, longitude))
  }

  /** Moves a point; almost free while it stays in its cell. */
  move(point: number, latitude: number, longitude: number): void {
    const cell = cellAt(latitude, longitude)
    if (this.#cell[this.#entryOf[point] as number] === cell) return
    this.remove(point)
    this.#enter(point, cell)
  }

  remove(point: number): void {
    const next = this.#next[point] as number
    const previous = this.#previous[point] as number
    const entry = this.#entryOf[point] as number
    if (next >= 0) this.#previous[next] = previous
    if (previous >= 0) this.#next[previous] = next
    else {
      this.#first[entry] = next
      if (next < 0) this.#dropEntry(entry)
    }
  }

  /** Calls `visit` for every point whose cell touches `box`: those in the box and some around it. */
  visit(box: Box, visit: (point: number) => void): void {
    const south = rowAt(box.south)
    const north = rowAt(box.north)
    if (box.west <= box.east)
      this.#visitColumns(south, north, columnAt(box.west), columnAt(box.east), visit)
    else {
      this.#visitColumns(south, north, columnAt(box.west), fineColumns - 1, visit)
      this.#visitColumns(south, north, 0, columnAt(box.east), visit)
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
    let entry = this.#coarseFirst[coarse] as number
    while (entry >= 0) {
      const cell = this.#cell[entry] as number
      const row = Math.floor(cell / fineColumns)
      const column = cell - row * fineColumns
      if (row >= area.south && row <= area.north && column >= area.west && column <= area.east)
        this.#visitEntry(entry, visit)
      entry = this.#nextEntry[entry] as number
    }
  }

  #visitEntry(entry: number, visit: (point: number) => void): void {
    for (let point = this.#first[entry] as number; point >= 0; ) {
      const next = this.#next[point] as number
      visit(point)
      point = next
    }
  }

  #enter(point: number, cell: number): void {
    let entry = this.#find(cell)
    if (entry < 0) entry = this.#addEntry(cell)
    const first = this.#first[entry] as number
    this.#next[point] = first
    this.#previous[point] = -1
    if (first >= 0) this.#previous[first] = point
    this.#first[entry] = point
    this.#entryOf[point] = entry
  }

  #find(cell: number): number {
    const table = this.#table
    let at = table.start(hashCell(cell))
    for (let entry = table.at(at); entry >= 0; entry = table.at(at)) {
      if (this.#cell[entry] === cell) return entry
      at = table.after(at)
    }
    return -1
  }

  #addEntry(cell: number): number {
    let entry = this.#freeEntry
    if (entry >= 0) this.#freeEntry = this.#nextEntry[entry] as number
    else entry = this.#entriesUsed++
    if (entry >= this.#clientsMax) throw new RangeError('more cells than points')
    const coarse = coarseOf(cell)
    const first = this.#coarseFirst[coarse] as number
    this.#cell[entry] = cell
    this.#first[entry] = -1
    this.#nextEntry[entry] = first
    this.#previousEntry[entry] = -1
    if (first >= 0) this.#previousEntry[first] = entry
    this.#coarseFirst[coarse] = entry
    this.#coarseEntries[coarse] = (this.#coarseEntries[coarse] as number) + 1
    this.#table.add(hashCell(cell), entry)
    return entry
  }

  #dropEntry(entry: number): void {
    const cell = this.#cell[entry] as number
    const coarse = coarseOf(cell)
    const next = this.#nextEntry[entry] as number
    const previous = this.#previousEntry[entry] as number
    if (next >= 0) this.#previousEntry[next] = previous
    if (previous >= 0) this.#nextEntry[previous] = next
    else this.#coarseFirst[coarse] = next
    this.#coarseEntries[coarse] = (this.#coarseEntries[coarse] as number) - 1
    this.#table.remove(hashCell(cell), entry, (other) => hashCell(this.#cell[other] as number))
    this.#nextEntry[entry] = this.#freeEntry
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
