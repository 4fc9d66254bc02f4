import type { PieceList } from '../pieces/piece-list.ts'
import type { Chunker } from './chunker.ts'

/**
 * Cuts at line ends so that no piece is over `mostBytes`, as `split -C` does: as many whole lines as
 * fit; a longer line is cut after `mostBytes`, and its rest goes on with the lines after it.
 */
export class LineBytesChunker implements Chunker {
  resumeAt: number
  readonly #mostBytes: number
  readonly #separator: number
  #at: number
  /** The last line end after `resumeAt`; equal to it when there is none. */
  #lineEnd: number

  constructor(mostBytes: number, separator: number, startAt = 0) {
    this.#mostBytes = mostBytes
    this.#separator = separator
    this.resumeAt = startAt
    this.#at = startAt
    this.#lineEnd = startAt
  }

  push(bytes: Buffer, pieces: PieceList): void {
    const end = this.#at + bytes.length
    while (end - this.resumeAt >= this.#mostBytes) {
      const limit = this.resumeAt + this.#mostBytes
      // Looking backwards from the limit reads each byte about once, however many lines there are.
      const first = Math.max(0, this.resumeAt - this.#at)
      const found = bytes.subarray(first, limit - this.#at).lastIndexOf(this.#separator)
      if (found >= 0) this.#lineEnd = this.#at + first + found + 1
      const cut = this.#lineEnd > this.resumeAt ? Math.min(this.#lineEnd, limit) : limit
      pieces.add(this.resumeAt, cut)
      this.resumeAt = cut
      this.#lineEnd = cut
    }
    const found = bytes.lastIndexOf(this.#separator)
    if (found >= 0) this.#lineEnd = Math.max(this.#lineEnd, this.#at + found + 1)
    this.#at = end
  }

  end(pieces: PieceList): void {
    if (this.#at > this.resumeAt) pieces.add(this.resumeAt, this.#at)
    this.resumeAt = this.#at
  }
}
