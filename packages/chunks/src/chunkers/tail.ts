import { fault } from '../errors.ts'
import { pieceBytesMax } from '../options.ts'

/** The bytes of a file that are not decided yet, joined with those that come. */
export class Tail {
  /** Where `bytes` begins in the file. */
  at: number
  bytes: Buffer = Buffer.alloc(0)

  constructor(at: number) {
    this.at = at
  }

  /** Joins `next`; throws PIECE_TOO_LARGE when `what` does not end within the limit. */
  join(next: Buffer, what: string): Buffer {
    if (this.bytes.length > pieceBytesMax)
      throw fault('PIECE_TOO_LARGE', `a ${what} at byte ${this.at} is over ${pieceBytesMax} bytes`)
    this.bytes = this.bytes.length === 0 ? next : Buffer.concat([this.bytes, next])
    return this.bytes
  }

  /** Forgets the first `count` bytes and keeps a copy of the others, which are few. */
  drop(count: number): void {
    this.at += count
    this.bytes = Buffer.from(this.bytes.subarray(count))
  }
}
