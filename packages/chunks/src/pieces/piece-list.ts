/** Pieces as offsets into a file: piece i is [starts[i], ends[i]). Never an object per piece. */
export interface Pieces {
  readonly count: number
  readonly starts: Float64Array
  readonly ends: Float64Array
}

/** Pieces in a list that grows; the arrays may be longer than `count`. */
export class PieceList implements Pieces {
  count = 0
  starts: Float64Array
  ends: Float64Array

  constructor(capacity = 1_024) {
    this.starts = new Float64Array(capacity)
    this.ends = new Float64Array(capacity)
  }

  /** Adds the piece [start, end). */
  add(start: number, end: number): void {
    if (this.count === this.starts.length) this.#grow(this.count * 2)
    this.starts[this.count] = start
    this.ends[this.count] = end
    this.count++
  }

  /** Adds the pieces of `other` from number `first` on. */
  addAll(other: Pieces, first = 0): void {
    const count = other.count - first
    if (this.count + count > this.starts.length) this.#grow((this.count + count) * 2)
    this.starts.set(other.starts.subarray(first, other.count), this.count)
    this.ends.set(other.ends.subarray(first, other.count), this.count)
    this.count += count
  }

  /** Forgets all pieces; the memory stays for the next ones. */
  clear(): void {
    this.count = 0
  }

  #grow(capacity: number): void {
    const [starts, ends] = [new Float64Array(capacity), new Float64Array(capacity)]
    starts.set(this.starts.subarray(0, this.count))
    ends.set(this.ends.subarray(0, this.count))
    this.starts = starts
    this.ends = ends
  }
}
