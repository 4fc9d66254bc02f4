import type { PieceList } from '../pieces/piece-list.ts'
import type { Chunker } from './chunker.ts'

/** Cuts after every `pieceBytes` bytes, as `split -b` does. */
export class BytesChunker implements Chunker {
  resumeAt: number
  readonly #pieceBytes: number
  #at: number

  constructor(pieceBytes: number, startAt = 0) {
    this.#pieceBytes = pieceBytes
    this.resumeAt = startAt
    this.#at = startAt
  }

  push(bytes: Buffer, pieces: PieceList): void {
    this.#at += bytes.length
    while (this.#at - this.resumeAt >= this.#pieceBytes) {
      pieces.add(this.resumeAt, this.resumeAt + this.#pieceBytes)
      this.resumeAt += this.#pieceBytes
    }
  }

  end(pieces: PieceList): void {
    if (this.#at > this.resumeAt) pieces.add(this.resumeAt, this.#at)
    this.resumeAt = this.#at
  }
}
