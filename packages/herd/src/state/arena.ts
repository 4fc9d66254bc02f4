/** Places in the arena are multiples of this many bytes; its addresses count in this unit. */
const unitBytes = 16

/** The longest text that one place may hold, in bytes: a line, a difference and blanks. */
export const textBytesMax = 80 * 1_024

const noPlace = 0xffff_ffff

/**
 * Texts of many sizes in one block of memory, so that a million of them are no objects to the
 * collector. Freed places of each size are kept in a list and used again. The block is reserved at
 * once, but the system gives real memory only to what was written.
 */
export class Arena {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly #words: Uint32Array
  /** For each size in units the first free place, or `noPlace`; each free place holds the next. */
  readonly #free = new Uint32Array(textBytesMax / unitBytes + 1).fill(noPlace)
  #usedUnits = 0
  readonly #units: number

  constructor(bytesMax: number) {
    this.#units = Math.floor(bytesMax / unitBytes)
    const block = new ArrayBuffer(this.#units * unitBytes)
    this.bytes = new Uint8Array(block)
    this.view = new DataView(block)
    this.#words = new Uint32Array(block)
  }

  /** Returns the units that a text of so many bytes takes. */
  static unitsOf(byteCount: number): number {
    return Math.ceil(byteCount / unitBytes)
  }

  /** Returns the address (in units) of a place of `units`, or -1 when the arena is full. */
  take(units: number): number {
    const free = this.#free[units] as number
    if (free !== noPlace) {
      this.#free[units] = this.#words[free * 4] as number
      return free
    }
    if (this.#usedUnits + units > this.#units) return -1
    const address = this.#usedUnits
    this.#usedUnits += units
    return address
  }

  /** Gives a place back. */
  free(address: number, units: number): void {
    this.#words[address * 4] = this.#free[units] as number
    this.#free[units] = address
  }
}
