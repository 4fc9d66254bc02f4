/** What is kept of a point: its id and its position in units of the owner. */
export const triple = { id: 0, latitude: 1, longitude: 2, stride: 3 } as const

/** The smallest bucket; each size is twice the one before. */
export const capacityMin = 4

/**
 * Buckets of points in one block of memory. Capacities are powers of two; a free bucket is cut in
 * halves where a smaller one is needed, and halves are not put together again: when nothing is left,
 * the owner packs what it has into a new pool.
 */
export class BucketPool {
  /** All triples; a bucket's address counts in triples. */
  readonly numbers: Int32Array
  /** For each size the first free bucket plus 1; each free bucket holds the next. */
  readonly #free = new Int32Array(32)
  readonly #pointsMax: number
  #used = 0

  constructor(pointsMax: number) {
    this.#pointsMax = pointsMax
    this.numbers = new Int32Array(pointsMax * triple.stride)
  }

  /** Returns the address of a bucket, or -1 when there is no room. */
  take(capacity: number): number {
    const wanted = sizeOf(capacity)
    let size = wanted
    while (size < this.#free.length && this.#free[size] === 0) size++
    if (size === this.#free.length) return this.#append(capacity)
    const address = (this.#free[size] as number) - 1
    this.#free[size] = this.numbers[address * triple.stride] as number
    for (; size > wanted; size--) {
      const half = capacityMin << (size - 1)
      this.give(address + half, half)
    }
    return address
  }

  /** Gives a bucket back, or a half of one. */
  give(address: number, capacity: number): void {
    const size = sizeOf(capacity)
    this.numbers[address * triple.stride] = this.#free[size] as number
    this.#free[size] = address + 1
  }

  #append(capacity: number): number {
    if (this.#used + capacity > this.#pointsMax) return -1
    const address = this.#used
    this.#used += capacity
    return address
  }
}

function sizeOf(capacity: number): number {
  return 31 - Math.clz32(capacity / capacityMin)
}
