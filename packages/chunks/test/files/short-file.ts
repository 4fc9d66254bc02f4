/** Plays an open file whose writes take a few bytes at a time, as on a disk that is nearly full. */
export class ShortFile {
  bytes: Buffer = Buffer.alloc(0)
  readonly #most: number

  /** Each write takes at most `most` bytes. */
  constructor(most: number) {
    this.#most = most
  }

  async write<Bytes extends NodeJS.ArrayBufferView>(
    buffer: Bytes,
    offset?: unknown,
    length?: unknown,
    position?: unknown,
  ): Promise<{ bytesWritten: number; buffer: Bytes }> {
    const { buffer: all, byteOffset } = buffer
    const count = Math.min(this.#most, Number(length))
    this.#put(new Uint8Array(all, byteOffset + Number(offset), count), Number(position))
    return { bytesWritten: count, buffer }
  }

  async writev<Buffers extends readonly NodeJS.ArrayBufferView[]>(
    buffers: Buffers,
  ): Promise<{ bytesWritten: number; buffers: Buffers }> {
    const all = Buffer.concat(buffers as unknown as readonly Uint8Array[])
    const taken = all.subarray(0, this.#most)
    this.#put(taken, this.bytes.length)
    return { bytesWritten: taken.length, buffers }
  }

  #put(part: Uint8Array, at: number): void {
    const grown = Buffer.alloc(Math.max(this.bytes.length, at + part.length))
    this.bytes.copy(grown)
    grown.set(part, at)
    this.bytes = grown
  }
}
