import type { PieceList } from '../pieces/piece-list.ts'
import type { Chunker } from './chunker.ts'

/** What becomes of the text at which a file is cut: it ends a piece, begins one, or is dropped. */
export type Keep = 'end' | 'start' | 'drop'

/** Adds pieces between separators; shared by delimiters and patterns. */
export class Separated {
  resumeAt: number
  readonly #keep: Keep

  constructor(keep: Keep, startAt: number) {
    this.#keep = keep
    this.resumeAt = startAt
  }

  /** Tells of a separator at [start, end). */
  separate(start: number, end: number, pieces: PieceList): void {
    if (this.#keep === 'end') this.#cut(end, end, pieces)
    else if (this.#keep === 'drop') this.#cut(start, end, pieces)
    else if (start > this.resumeAt) this.#cut(start, start, pieces)
  }

  end(at: number, pieces: PieceList): void {
    if (at > this.resumeAt) this.#cut(at, at, pieces)
  }

  #cut(end: number, next: number, pieces: PieceList): void {
    pieces.add(this.resumeAt, end)
    this.resumeAt = next
  }
}

/** Cuts at every occurrence of `delimiter`, found from the left, never overlapping. */
export class DelimiterChunker implements Chunker {
  readonly #delimiter: Buffer
  readonly #separated: Separated
  /** The bytes that may begin a delimiter which the next push completes. */
  #tail: Buffer = Buffer.alloc(0)
  #at: number

  constructor(delimiter: Uint8Array, keep: Keep, startAt = 0) {
    this.#delimiter = Buffer.from(delimiter)
    this.#separated = new Separated(keep, startAt)
    this.#at = startAt
  }

  get resumeAt(): number {
    return this.#separated.resumeAt
  }

  push(bytes: Buffer, pieces: PieceList): void {
    const { length } = this.#delimiter
    const joined = this.#tail.length === 0 ? bytes : Buffer.concat([this.#tail, bytes])
    const base = this.#at - this.#tail.length
    const needle = length === 1 ? (this.#delimiter[0] as number) : this.#delimiter
    let from = 0
    for (let at = joined.indexOf(needle); at >= 0; at = joined.indexOf(needle, from)) {
      this.#separated.separate(base + at, base + at + length, pieces)
      from = at + length
    }
    this.#tail = Buffer.from(joined.subarray(Math.max(from, joined.length - length + 1)))
    this.#at += bytes.length
  }

  end(pieces: PieceList): void {
    this.#separated.end(this.#at, pieces)
  }
}
