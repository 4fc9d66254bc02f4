/** A connection may keep so much whatever the others keep: ordinary lines are never refused. */
const alwaysBytes = 1_024

/**
 * What all connections together keep of lines that have not ended, so that many half-sent lines
 * cannot fill the memory: each alone may be 64 KiB long.
 */
export class KeptBytes {
  readonly #bytesMax: number
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Changes what one reader keeps; false when that is too much, and nothing has changed. */
  change(fromBytes: number, toBytes: number): boolean {
    const isTooMuch = this.#bytes - fromBytes + toBytes > this.#bytesMax
    if (toBytes > fromBytes && toBytes > alwaysBytes && isTooMuch) return false
    this.#bytes += toBytes - fromBytes
    return true
  }
}
