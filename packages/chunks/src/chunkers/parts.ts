import type { PieceList } from '../pieces/piece-list.ts'
import type { Chunker } from './chunker.ts'

/** Returns the end of part `part` (from 1) of `count` when the file has `fileBytes`: the last takes the rest. */
function endOfPart(part: number, count: number, fileBytes: number): number {
  if (part >= count) return fileBytes
  return Math.min(fileBytes, part * Math.max(1, Math.floor(fileBytes / count)))
}

/** Cuts into `count` parts of equal size, as `split -n N` does; a tiny file gives empty parts. */
export function cutParts(count: number, fileBytes: number, pieces: PieceList): void {
  let start = 0
  for (let part = 1; part <= count; part++) {
    const end = endOfPart(part, count, fileBytes)
    pieces.add(start, end)
    start = end
  }
}

/**
 * Cuts into `count` parts at line ends, as `split -n l/N` does: a line belongs to the part in whose
 * equal share it begins, so a long line makes the parts after it empty.
 */
export class LineParts implements Chunker {
  resumeAt = 0
  readonly #count: number
  readonly #fileBytes: number
  readonly #separator: number
  #at = 0
  #part = 1

  constructor(count: number, fileBytes: number, separator: number) {
    this.#count = count
    this.#fileBytes = fileBytes
    this.#separator = separator
  }

  push(bytes: Buffer, pieces: PieceList): void {
    while (this.#part < this.#count) {
      const lastByte = endOfPart(this.#part, this.#count, this.#fileBytes) - 1
      if (lastByte >= this.#at + bytes.length) break
      const found = bytes.indexOf(this.#separator, Math.max(0, lastByte - this.#at))
      if (found < 0) break
      this.#cut(this.#at + found + 1, pieces)
    }
    this.#at += bytes.length
  }

  end(pieces: PieceList): void {
    while (this.#part <= this.#count) this.#cut(this.#at, pieces)
  }

  /** Ends the part at `end`, and the parts whose shares lie before it with nothing in them. */
  #cut(end: number, pieces: PieceList): void {
    pieces.add(this.resumeAt, end)
    this.resumeAt = end
    this.#part++
    while (this.#part < this.#count) {
      if (endOfPart(this.#part, this.#count, this.#fileBytes) > end) break
      pieces.add(end, end)
      this.#part++
    }
  }
}
