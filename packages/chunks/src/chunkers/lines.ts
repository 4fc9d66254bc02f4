import type { PieceList } from '../piece-list.ts'
import type { Chunker } from './chunker.ts'

/** Cuts after every `count` lines, as `split -l` does; `separator` is the byte that ends a line. */
export class LinesChunker implements Chunker {
  resumeAt: number
  readonly #count: number
  readonly #separator: number
  #at: number
  #left: number

  /** `headerLines` more lines belong to the first piece. */
  constructor(count: number, separator: number, startAt = 0, headerLines = 0) {
    this.#count = count
    this.#separator = separator
    this.resumeAt = startAt
    this.#at = startAt
    this.#left = count + headerLines
  }

  push(bytes: Buffer, pieces: PieceList): void {
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
    this.#at += bytes.length
  }

  end(pieces: PieceList): void {
    if (this.#at > this.resumeAt) pieces.add(this.resumeAt, this.#at)
    this.resumeAt = this.#at
  }
}
