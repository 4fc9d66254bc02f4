/** Writes numbers and texts one after another; big-endian, growing as needed. */
export class ByteWriter {
  #bytes = Buffer.allocUnsafe(4_096)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** What was written; lent until the next write. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Starts again from nothing. */
  reset(): this {
    this.#length = 0
    return this
  }

  u8(value: number): this {
    this.#room(1)
    this.#bytes[this.#length++] = value
    return this
  }

  u16(value: number): this {
    this.#room(2)
    this.#length = this.#bytes.writeUInt16BE(value, this.#length)
    return this
  }

  u32(value: number): this {
    this.#room(4)
    this.#length = this.#bytes.writeUInt32BE(value, this.#length)
    return this
  }

  /** A double: whole numbers up to 2^53 stay exact. */
  f64(value: number): this {
    this.#room(8)
    this.#length = this.#bytes.writeDoubleBE(value, this.#length)
    return this
  }

  /** A text of at most 65,535 bytes, its length before it. */
  text(value: string): this {
    const bytes = Buffer.from(value, 'utf8')
    return this.u16(bytes.length).raw(bytes, 0, bytes.length)
  }

  raw(source: Uint8Array, start: number, end: number): this {
    this.#room(end - start)
    const bytes = this.#bytes
    if (end - start > 256) bytes.set(source.subarray(start, end), this.#length)
    else {
      let to = this.#length
      for (let at = start; at < end; at++) bytes[to++] = source[at] as number
    }
    this.#length += end - start
    return this
  }

  #room(byteCount: number): void {
    if (this.#length + byteCount <= this.#bytes.length) return
    const roomy = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + byteCount))
    this.#bytes.copy(roomy, 0, 0, this.#length)
    this.#bytes = roomy
  }
}

/** Thrown by `ByteReader` when a message ends too early: the sender is broken or hostile. */
export class MessageTooShort extends Error {
  override readonly name = 'MessageTooShort'
}

/** Reads what `ByteWriter` wrote. Throws `MessageTooShort` rather than read past the end. */
export class ByteReader {
  readonly bytes: Buffer
  #at: number

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#at = at
  }

  get at(): number {
    return this.#at
  }

  get left(): number {
    return this.bytes.length - this.#at
  }

  u8(): number {
    return this.bytes[this.skip(1)] as number
  }

  u16(): number {
    return this.bytes.readUInt16BE(this.skip(2))
  }

  u32(): number {
    return this.bytes.readUInt32BE(this.skip(4))
  }

  f64(): number {
    return this.bytes.readDoubleBE(this.skip(8))
  }

  text(): string {
    const length = this.u16()
    const start = this.skip(length)
    return this.bytes.toString('utf8', start, start + length)
  }

  /** Passes over so many bytes and returns where they begin. */
  skip(byteCount: number): number {
    const start = this.#at
    if (byteCount > this.left) throw new MessageTooShort(`${byteCount} bytes wanted`)
    this.#at += byteCount
    return start
  }
}
