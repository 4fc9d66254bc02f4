import type { Position } from '../protocol/location.ts'
import { type Box, boxAround, distanceKm } from './geo.ts'

/** What a fence encloses. */
export type FenceShape =
  | { readonly kind: 'circle'; readonly center: Position; readonly radiusKm: number }
  | { readonly kind: 'box'; readonly box: Box }

/** What a client did at a fence. */
type Crossing = 'enter' | 'leave' | 'move'

/** Told of each crossing of one fence. */
export type OnCrossing = (crossing: Crossing, slot: number, at: Position) => void

/**
 * Numbers of one fence: south, north, west and east of its box, then centre and radius of a circle.
 * They fill one line of the processor's cache, because a move is compared with fences all over memory.
 */
const stride = 8
const fencesFirst = 256

/** Cells of level n are 180 / 2^n degrees wide; 12 is 0.044 degrees. */
const levelMax = 12
const hashBits = 18

/**
 * Shapes on the globe that are told who enters, leaves and moves in them. Each lies in the cells of
 * the level that fits its size, at most 4 (8 across the antimeridian), so a move asks a few short
 * lists, however many fences there are. What a client was inside of follows from where it was.
 */
export class Fences {
  /** For each cell the numbers of the fences that lie in it. */
  readonly #cells = new Map<number, number[]>()
  #shapes = new Float64Array(fencesFirst * stride)
  readonly #onCrossing: (OnCrossing | undefined)[] = []
  readonly #free: number[] = []
  readonly #fencesOfLevel = new Int32Array(levelMax + 1)
  /** How many lists share a hash of their cell: 0 says without a look at the map that there is none. */
  readonly #listsOfHash = new Uint16Array(2 ** hashBits)
  #count = 0

  get count(): number {
    return this.#count
  }

  /** Watches `shape` until the returned function is called. */
  add(shape: FenceShape, onCrossing: OnCrossing): () => void {
    const box = shape.kind === 'box' ? shape.box : boxAround(shape.center, shape.radiusKm)
    const cells = cellsOf(box)
    const fence = this.#free.pop() ?? this.#onCrossing.length
    this.#onCrossing[fence] = onCrossing
    this.#note(fence, shape, box)
    const level = Math.floor((cells[0] ?? 0) / 2 ** 27)
    for (const cell of cells) {
      const list = this.#cells.get(cell)
      if (list) list.push(fence)
      else {
        this.#cells.set(cell, [fence])
        this.#countList(cell, 1)
      }
    }
    this.#fencesOfLevel[level] = (this.#fencesOfLevel[level] as number) + 1
    this.#count++
    let isOpen = true
    return () => {
      if (!isOpen) return
      isOpen = false
      this.#fencesOfLevel[level] = (this.#fencesOfLevel[level] as number) - 1
      this.#count--
      for (const cell of cells) this.#take(cell, fence)
      this.#onCrossing[fence] = undefined
      this.#free.push(fence)
    }
  }

  #note(fence: number, shape: FenceShape, { south, north, west, east }: Box): void {
    if ((fence + 1) * stride > this.#shapes.length) {
      const roomy = new Float64Array(this.#shapes.length * 2)
      roomy.set(this.#shapes)
      this.#shapes = roomy
    }
    const { center, radiusKm } =
      shape.kind === 'circle' ? shape : { center: { latitude: 0, longitude: 0 }, radiusKm: -1 }
    const numbers = [south, north, west, east, center.latitude, center.longitude, radiusKm]
    this.#shapes.set(numbers, fence * stride)
  }

  /** Tells the fences that a client went from one position to another; either may be missing. */
  moved(slot: number, from: Position | undefined, to: Position | undefined): void {
    if (this.#count === 0) return
    const fromPlace = placeOf(from)
    const toPlace = placeOf(to)
    for (let level = 0; level <= levelMax; level++) {
      if (this.#fencesOfLevel[level] === 0) continue
      const toCell = cellOf(level, toPlace)
      const fromCell = cellOf(level, fromPlace)
      if (to) this.#arrive(toCell, slot, from, to, fromCell === toCell)
      // A move within one cell has shown every fence that it could leave already.
      if (from && fromCell !== toCell) this.#depart(fromCell, slot, from, to)
    }
  }

  #arrive(
    cell: number,
    slot: number,
    from: Position | undefined,
    to: Position,
    isSameCell: boolean,
  ): void {
    const fences = this.#listsOfHash[hashOf(cell)] === 0 ? undefined : this.#cells.get(cell)
    if (!fences) return
    for (const fence of fences) {
      if (this.#encloses(fence, to))
        this.#tell(fence, from && this.#encloses(fence, from) ? 'move' : 'enter', slot, to)
      else if (isSameCell && from && this.#encloses(fence, from))
        this.#tell(fence, 'leave', slot, to)
    }
  }

  #depart(cell: number, slot: number, from: Position, to: Position | undefined): void {
    const fences = this.#listsOfHash[hashOf(cell)] === 0 ? undefined : this.#cells.get(cell)
    if (!fences) return
    for (const fence of fences) {
      if (!this.#encloses(fence, from) || (to && this.#encloses(fence, to))) continue
      this.#tell(fence, 'leave', slot, to ?? from)
    }
  }

  #tell(fence: number, crossing: Crossing, slot: number, at: Position): void {
    this.#onCrossing[fence]?.(crossing, slot, at)
  }

  #encloses(fence: number, { latitude, longitude }: Position): boolean {
    const shapes = this.#shapes
    const at = fence * stride
    if (latitude < (shapes[at] as number) || latitude > (shapes[at + 1] as number)) return false
    const west = shapes[at + 2] as number
    const east = shapes[at + 3] as number
    const isBetween =
      west <= east ? longitude >= west && longitude <= east : longitude >= west || longitude <= east
    const radiusKm = shapes[at + 6] as number
    if (!isBetween || radiusKm < 0) return isBetween
    const away = distanceKm(shapes[at + 4] as number, shapes[at + 5] as number, latitude, longitude)
    return away <= radiusKm
  }

  #take(cell: number, fence: number): void {
    const left = this.#cells.get(cell)?.filter((other) => other !== fence) ?? []
    if (left.length > 0) this.#cells.set(cell, left)
    else {
      this.#cells.delete(cell)
      this.#countList(cell, -1)
    }
  }

  #countList(cell: number, change: 1 | -1): void {
    const hash = hashOf(cell)
    this.#listsOfHash[hash] = (this.#listsOfHash[hash] as number) + change
  }
}

/** The cells of the deepest level at which the box is no wider and no higher than a cell. */
function cellsOf(box: Box): number[] {
  const width = box.west <= box.east ? box.east - box.west : box.east - box.west + 360
  const extent = Math.max(width, box.north - box.south, 180 / 2 ** levelMax)
  const level = Math.max(0, Math.min(levelMax, Math.floor(Math.log2(180 / extent))))
  const parts =
    box.west <= box.east
      ? [box]
      : [
          { ...box, east: 180 },
          { ...box, west: -180 },
        ]
  const cells = new Set<number>()
  for (const { south, north, west, east } of parts) {
    const first = cellOf(level, placeOf({ latitude: south, longitude: west }))
    const last = cellOf(level, placeOf({ latitude: north, longitude: east }))
    const columns = (last - first) % 2 ** 14
    for (let row = first; row <= last; row += 2 ** 14)
      for (let column = 0; column <= columns; column++) cells.add(row + column)
  }
  return [...cells]
}

/** Row and column of the deepest level, 13 and 14 bits; the levels above follow by halving. */
function placeOf(position: Position | undefined): number {
  if (!position) return -1
  const perDegree = 2 ** levelMax / 180
  const row = Math.min(2 ** levelMax - 1, Math.floor((position.latitude + 90) * perDegree))
  const column = Math.floor((position.longitude + 180) * perDegree)
  return row * 2 ** 14 + Math.min(2 ** (levelMax + 1) - 1, column)
}

/** A number for the cell of a level that a place lies in; -1 for no place. */
function cellOf(level: number, place: number): number {
  if (place < 0) return -1
  const halvings = levelMax - level
  const row = (place >> 14) >> halvings
  const column = (place & (2 ** 14 - 1)) >> halvings
  return level * 2 ** 27 + row * 2 ** 14 + column
}

/** Spreads cells over the counters (Fibonacci hashing: Knuth, 6.4). */
function hashOf(cell: number): number {
  return Math.imul(cell, 0x9e37_79b1) >>> (32 - hashBits)
}
