/** Buffers that are used again, so that memory stays flat: what is thrown away stays for a while. */
export class BufferPool {
  readonly #free: Buffer[] = []
  readonly #bytes: number
  readonly #keptMax: number

  /** Keeps at most `keptMax` buffers of `bytes` each. */
  constructor(bytes: number, keptMax: number) {
    this.#bytes = bytes
    this.#keptMax = keptMax
  }

  /** Returns a buffer of at least `bytes`, its content undefined; one too large is made for once. */
  take(bytes: number): Buffer {
    if (bytes > this.#bytes) return Buffer.allocUnsafeSlow(bytes)
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#bytes)
  }

  /** Takes a buffer back that nobody reads any more. */
  give(buffer: Buffer): void {
    if (buffer.length === this.#bytes && this.#free.length < this.#keptMax) this.#free.push(buffer)
  }
}
