import { fault } from '../errors.ts'
import { segmentBytes } from '../options.ts'
import type { Segment, Source } from './file-source.ts'

/** Pieces up to this size are read whole; larger ones come in blocks. */
const wholeBytesMax = 1 * 2 ** 20

/** Reads pieces of a file, most of them from a window of it in memory. */
export class ContentReader {
  readonly #source: Source
  readonly #windowBytes: number
  #window: Segment = { at: 0, bytes: Buffer.alloc(0) }
  #own: Buffer | undefined

  /** Reads `windowBytes` at a time, at least 1 MiB. */
  constructor(source: Source, windowBytes = segmentBytes) {
    this.#source = source
    this.#windowBytes = Math.max(windowBytes, wholeBytesMax)
  }

  /** Tells of bytes that are in memory anyway. */
  show(segment: Segment): void {
    this.#window = segment
  }

  /** Returns [start, end) when it is in memory, else undefined. */
  peek(start: number, end: number): Buffer | undefined {
    const { at, bytes } = this.#window
    if (start < at || end > at + bytes.length) return undefined
    return bytes.subarray(start - at, end - at)
  }

  /** Yields [start, end) in blocks, each good until the next. Throws FILE_UNUSABLE. */
  async *blocks(start: number, end: number): AsyncGenerator<Buffer> {
    const there = this.peek(start, end)
    if (there) {
      yield there
      return
    }
    if (end - start <= wholeBytesMax) {
      await this.#move(start)
      yield this.peek(start, end) ?? missing(start, end)
      return
    }
    for (let at = start; at < end; ) {
      await this.#move(at)
      const until = Math.min(end, at + this.#windowBytes)
      yield this.peek(at, until) ?? missing(at, until)
      at = until
    }
  }

  async #move(at: number): Promise<void> {
    this.#own ??= Buffer.allocUnsafeSlow(
      Math.min(this.#windowBytes, Math.max(1, this.#source.bytes)),
    )
    const count = await this.#source.read(this.#own, at)
    this.#window = { at, bytes: this.#own.subarray(0, count) }
  }
}

function missing(start: number, end: number): never {
  throw fault('FILE_UNUSABLE', `the file has changed: bytes ${start} to ${end} are not there`)
}
