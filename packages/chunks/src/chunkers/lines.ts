import type { PieceList } from '../pieces/piece-list.ts'
import { ByteCounter } from '../wasm/byte-counter.ts'
import type { Chunker } from './chunker.ts'

/** From so many lines a piece on they are counted by the block, not looked for one by one. */
const countedLines = 256

/** Cuts after every `count` lines, as `split -l` does; `separator` is the byte that ends a line. */
export class LinesChunker implements Chunker {
  resumeAt: number
  readonly #count: number
  readonly #separator: number
  #at: number
  #left: number
  readonly #counter: ByteCounter | undefined

  /** `headerLines` more lines belong to the first piece. */
  constructor(count: number, separator: number, startAt = 0, headerLines = 0) {
    this.#count = count
    this.#separator = separator
    this.resumeAt = startAt
    this.#at = startAt
    this.#left = count + headerLines
    this.#counter = count < countedLines ? undefined : new ByteCounter(separator)
  }

  push(bytes: Buffer, pieces: PieceList): void {
    const step = this.#counter?.blockBytes ?? bytes.length
    for (let from = 0; from < bytes.length; from += step) {
      const block = bytes.subarray(from, from + step)
      const lines = this.#counter?.count(block) ?? Number.POSITIVE_INFINITY
      if (lines < this.#left) this.#left -= lines
      else this.#cut(block, pieces)
      this.#at += block.length
    }
  }

  #cut(bytes: Buffer, pieces: PieceList): void {
    let left = this.#left
    const separator = this.#separator
    for (let at = bytes.indexOf(separator); at >= 0; at = bytes.indexOf(separator, at + 1)) {
      left--
      if (left > 0) continue
      const end = this.#at + at + 1
      pieces.add(this.resumeAt, end)
      this.resumeAt = end
      left = this.#count
    }
    this.#left = left
  }

  end(pieces: PieceList): void {
    if (this.#at > this.resumeAt) pieces.add(this.resumeAt, this.#at)
    this.resumeAt = this.#at
  }
}
