import { fault } from '../errors.ts'
import { pieceBytesMax } from '../options.ts'
import type { PieceList } from '../pieces/piece-list.ts'
import type { Chunker } from './chunker.ts'

const [quote, newline, carriage] = [34, 10, 13]

/**
 * Walks over CSV (RFC 4180): a record ends at a newline outside quotes. A quote opens a field only at
 * the field's start, so that one in the middle of a plain field does no harm.
 */
export class CsvScanner {
  readonly #comma: number
  #isQuoted = false
  #isFieldStart = true

  constructor(comma: number) {
    this.#comma = comma
  }

  /** Whether the file would end within quotes here. */
  get isOpen(): boolean {
    return this.#isQuoted
  }

  /** Returns the offset after the newline that ends the record, from `from` on; -1 without one. */
  endOfRecord(bytes: Buffer, from: number): number {
    const comma = this.#comma
    let isFieldStart = this.#isFieldStart
    for (let at = from; at < bytes.length; at++) {
      if (this.#isQuoted) {
        const close = bytes.indexOf(quote, at)
        if (close < 0) return this.#leave(false)
        // A doubled quote closes and opens again at once.
        this.#isQuoted = false
        isFieldStart = true
        at = close
        continue
      }
      const byte = bytes[at] as number
      if (byte === newline) {
        this.#isFieldStart = true
        return at + 1
      }
      if (byte === quote && isFieldStart) this.#isQuoted = true
      else isFieldStart = byte === comma || byte === carriage
    }
    return this.#leave(isFieldStart)
  }

  #leave(isFieldStart: boolean): -1 {
    this.#isFieldStart = isFieldStart
    return -1
  }
}

/** Cuts CSV after every `count` records. */
export class CsvChunker implements Chunker {
  resumeAt: number
  readonly #count: number
  readonly #scanner: CsvScanner
  #at: number
  #left: number
  #recordAt: number

  /** `headerRecords` more records belong to the first piece. */
  constructor(count: number, comma: number, startAt = 0, headerRecords = 0) {
    this.#count = count
    this.#scanner = new CsvScanner(comma)
    this.resumeAt = startAt
    this.#at = startAt
    this.#recordAt = startAt
    this.#left = count + headerRecords
  }

  push(bytes: Buffer, pieces: PieceList): void {
    let end = this.#scanner.endOfRecord(bytes, 0)
    for (; end >= 0; end = this.#scanner.endOfRecord(bytes, end)) {
      this.#recordAt = this.#at + end
      this.#left--
      if (this.#left > 0) continue
      pieces.add(this.resumeAt, this.#recordAt)
      this.resumeAt = this.#recordAt
      this.#left = this.#count
    }
    this.#at += bytes.length
    if (this.#at - this.#recordAt > pieceBytesMax)
      throw fault('PIECE_TOO_LARGE', `the CSV record at byte ${this.#recordAt} does not end`)
  }

  end(pieces: PieceList): void {
    if (this.#scanner.isOpen)
      throw fault('RECORDS_INVALID', `the record at byte ${this.#recordAt} opens a quote for ever`)
    if (this.#at > this.resumeAt) pieces.add(this.resumeAt, this.#at)
    this.resumeAt = this.#at
  }
}
