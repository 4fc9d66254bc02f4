import { LF, QUESTION, SPACE } from '../protocol/bytes.ts'

const firstBytes = 65_536
/** Views of the begin of the buffer are kept up to this length: an answer makes no garbage. */
const keptViewsMax = 512

/** Answers of one turn, as bytes; grows as needed and is used again. */
export class AnswerBuffer {
  bytes: Buffer = Buffer.allocUnsafeSlow(firstBytes)
  view: DataView = new DataView(this.bytes.buffer)
  length = 0
  #views: (Buffer | undefined)[] = []

  /** What was appended; the bytes are lent until the next change. */
  get written(): Buffer {
    const { length } = this
    if (length > keptViewsMax) return this.bytes.subarray(0, length)
    this.#views[length] ??= this.bytes.subarray(0, length)
    return this.#views[length]
  }

  /** Makes room for so many bytes more. */
  room(byteCount: number): void {
    if (this.length + byteCount <= this.bytes.length) return
    const roomy = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.length + byteCount))
    this.bytes.copy(roomy, 0, 0, this.length)
    this.#replace(roomy)
  }

  /** Begins a new buffer, because somebody still reads from this one. */
  abandon(): void {
    this.#replace(Buffer.allocUnsafeSlow(firstBytes))
  }

  /** Appends `? `, the bytes as they came, and a newline. */
  complain(line: Uint8Array, start: number, end: number): void {
    this.room(end - start + 3)
    this.bytes[this.length++] = QUESTION
    this.bytes[this.length++] = SPACE
    this.bytes.set(line.subarray(start, end), this.length)
    this.length += end - start
    this.bytes[this.length++] = LF
  }

  #replace(bytes: Buffer): void {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer)
    this.#views = []
  }
}
