const sizeFirst = 1_024

/**
 * An open-addressing hash table of slots that compares nothing itself: the owner walks from `start` by
 * `after` until `at` says -1. Half full it is given up for one of twice the size, so walks are short,
 * and no larger than it must be, so that it stays in the processor's caches.
 */
export class IndexTable {
  readonly #cells: Int32Array
  readonly #mask: number

  /** `size` is a power of two. */
  constructor(size = sizeFirst) {
    this.#cells = new Int32Array(size)
    this.#mask = size - 1
  }

  /** How many slots it takes. */
  get room(): number {
    return this.#cells.length / 2
  }

  /** Returns an empty table of twice the size. */
  larger(): IndexTable {
    return new IndexTable(this.#cells.length * 2)
  }

  /** Returns where a walk for `hash` begins. */
  start(hash: number): number {
    return hash & this.#mask
  }

  /** Returns the next place of a walk. */
  after(at: number): number {
    return (at + 1) & this.#mask
  }

  /** Returns the number at a place, or -1 where the walk ends. */
  at(at: number): number {
    // Stored one higher, so that untouched memory means empty and costs nothing.
    return (this.#cells[at] as number) - 1
  }

  add(hash: number, index: number): void {
    let at = this.start(hash)
    while (this.#cells[at] !== 0) at = this.after(at)
    this.#cells[at] = index + 1
  }

  /**
   * Removes `index` and moves those that were pushed behind it back, so that no walk ends too early
   * (Knuth, The Art of Computer Programming 3, algorithm 6.4 R).
   */
  remove(hash: number, index: number, hashOf: (index: number) => number): void {
    let hole = this.start(hash)
    while (this.#cells[hole] !== index + 1) {
      if (this.#cells[hole] === 0) throw new RangeError(`the table does not hold ${index}`)
      hole = this.after(hole)
    }
    for (let at = this.after(hole); this.#cells[at] !== 0; at = this.after(at)) {
      const home = this.start(hashOf(this.at(at)))
      // The hole lies on its way from home to here, so it may move there.
      if (((at - home) & this.#mask) < ((at - hole) & this.#mask)) continue
      this.#cells[hole] = this.#cells[at] as number
      hole = at
    }
    this.#cells[hole] = 0
  }
}
