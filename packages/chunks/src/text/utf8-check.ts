import { isUtf8 } from 'node:buffer'
import { fault } from '../errors.ts'
import { brokenBytes, missingBytes } from './utf8-tail.ts'

/** Checks that a file is text, as it comes: UTF-8 without a zero byte. */
export class TextCheck {
  #at = 0
  #broken: Buffer = Buffer.alloc(0)

  /** Throws NOT_TEXT, with the place. A character cut by the end of `bytes` is checked with the next. */
  push(bytes: Buffer): void {
    const zero = bytes.indexOf(0)
    if (zero >= 0)
      throw fault('NOT_TEXT', `the file is not text: byte ${this.#at + zero} is zero; ${help}`)
    const missing = missingBytes(this.#broken)
    const [head, rest] = [bytes.subarray(0, missing), bytes.subarray(missing)]
    const joined = Buffer.concat([this.#broken, head])
    const isWhole = head.length === missing
    const end = rest.length - brokenBytes(rest)
    if ((isWhole && !isUtf8(joined)) || !isUtf8(rest.subarray(0, end)))
      throw fault('NOT_TEXT', `the file is not UTF-8 after byte ${this.#at}; ${help}`)
    this.#broken = isWhole ? Buffer.from(rest.subarray(end)) : joined
    this.#at += bytes.length
  }

  /** Throws NOT_TEXT when the file ends within a character. */
  end(): void {
    if (this.#broken.length > 0)
      throw fault('NOT_TEXT', `the file ends within a UTF-8 character; ${help}`)
  }
}

const help =
  'name its encoding (latin1, utf-16le, …) or that it is gzip or zstd, or cut it by bytes'
