import { fault } from '../errors.ts'
import { pieceBytesMax } from '../options.ts'
import type { PieceList } from '../pieces/piece-list.ts'
import type { Chunker, Resume } from './chunker.ts'

const [quote, backslash, comma, open, close, openObject, closeObject] = [
  34, 92, 44, 91, 93, 123, 125,
]

const isSpace = (byte: number) => byte === 32 || (byte >= 9 && byte <= 13)

/**
 * Cuts one JSON array after every `count` elements. A piece is the text from its first element to its
 * last; the brackets around it are added when it is written, so that each piece is an array.
 */
export class JsonChunker implements Chunker {
  resumeAt: number
  readonly #count: number
  /** 0 before the array, 1 in it, 2 and more within an element; -1 after it. */
  #depth: number
  #isText = false
  #isEscaped = false
  #at: number
  #firstAt = -1
  #elementAt = -1
  #elementEnd = -1
  #elements = 0

  constructor(count: number, { startAt, carry }: Pick<Resume, 'startAt' | 'carry'>) {
    this.#count = count
    this.resumeAt = startAt
    this.#at = startAt
    this.#depth = carry === '' ? 0 : Number(carry)
  }

  /** `1` within the array, `-1` after it. */
  get carry(): string {
    return this.#depth === 0 ? '' : String(Math.min(1, this.#depth))
  }

  push(bytes: Buffer, pieces: PieceList): void {
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at] as number
      if (this.#isText) this.#text(byte)
      else if (this.#depth > 1) this.#inside(byte)
      else if (!isSpace(byte)) this.#between(byte, this.#at + at, pieces)
      if (this.#elementAt >= 0 && !isSpace(byte)) this.#elementEnd = this.#at + at + 1
    }
    this.#at += bytes.length
    if (this.#elementAt >= 0 && this.#at - this.#elementAt > pieceBytesMax)
      throw fault('PIECE_TOO_LARGE', `the element at byte ${this.#elementAt} does not end`)
  }

  end(_pieces: PieceList): void {
    if (this.#depth > 0) throw fault('RECORDS_INVALID', 'the JSON array does not end')
    if (this.#depth === 0 && this.#at > 0)
      throw fault('RECORDS_INVALID', 'the file holds no JSON array')
  }

  #text(byte: number): void {
    if (this.#isEscaped) this.#isEscaped = false
    else if (byte === backslash) this.#isEscaped = true
    else if (byte === quote) this.#isText = false
  }

  #inside(byte: number): void {
    if (byte === quote) this.#isText = true
    else if (byte === open || byte === openObject) this.#depth++
    else if (byte === close || byte === closeObject) this.#depth--
  }

  /** What stands outside of every element: brackets, commas, and the first byte of an element. */
  #between(byte: number, at: number, pieces: PieceList): void {
    if (this.#depth === 0) {
      if (byte !== open) throw fault('RECORDS_INVALID', `expected "[" at byte ${at}`)
      this.#depth = 1
      this.resumeAt = at + 1
    } else if (this.#depth < 0) {
      throw fault('RECORDS_INVALID', `something follows the array at byte ${at}`)
    } else if (byte === comma || byte === close) {
      this.#endElement(byte, at, pieces)
    } else {
      if (byte === closeObject) throw fault('RECORDS_INVALID', `a stray brace at byte ${at}`)
      if (this.#elementAt < 0) this.#elementAt = at
      if (this.#firstAt < 0) this.#firstAt = at
      this.#inside(byte)
    }
  }

  #endElement(byte: number, at: number, pieces: PieceList): void {
    if (this.#elementAt < 0) {
      const isEmptyArray = byte === close && this.#elements === 0 && this.#firstAt < 0
      if (!isEmptyArray) throw fault('RECORDS_INVALID', `an element is missing at byte ${at}`)
    } else {
      this.#elements++
      this.#elementAt = -1
    }
    const isFull = this.#elements === this.#count || byte === close
    if (isFull && this.#elements > 0) this.#cut(pieces)
    if (byte === close) this.#depth = -1
    if (this.#elements === 0) this.resumeAt = at + 1
  }

  #cut(pieces: PieceList): void {
    pieces.add(this.#firstAt, this.#elementEnd)
    this.#elements = 0
    this.#firstAt = -1
  }
}
