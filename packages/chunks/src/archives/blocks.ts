const blockBytes = 256 * 1_024

/** Gathers small writes into large blocks, so that nothing is awaited or sent per piece. */
export class Blocks {
  readonly #ready: Buffer[] = []
  #block = Buffer.allocUnsafeSlow(blockBytes)
  #used = 0

  /** Bytes that were added since the start. */
  total = 0

  /** Adds a copy of `bytes`. */
  add(bytes: Buffer): void {
    this.total += bytes.length
    for (let from = 0; from < bytes.length; ) {
      const count = bytes.copy(this.#block, this.#used, from)
      this.#used += count
      from += count
      if (this.#used === blockBytes) this.#finish()
    }
  }

  /** Counts bytes that are sent past these blocks. */
  pass(count: number): void {
    this.total += count
  }

  /** Returns the blocks that are full. */
  full(): Buffer[] {
    return this.#ready.splice(0)
  }

  /** Returns everything, full or not. */
  all(): Buffer[] {
    this.#finish()
    return this.full()
  }

  #finish(): void {
    if (this.#used === 0) return
    this.#ready.push(this.#block.subarray(0, this.#used))
    this.#block = Buffer.allocUnsafeSlow(blockBytes)
    this.#used = 0
  }
}
