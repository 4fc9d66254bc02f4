import { fault } from '../errors.ts'
import { pieceBytesMax } from '../options.ts'

/** A room is made larger than it must be by so much. */
const roomBytes = 64 * 1_024

/** The bytes of a file that are not decided yet, joined with those that come. */
export class Tail {
  /** Where `bytes` begins in the file. */
  at: number
  bytes: Buffer = Buffer.alloc(0)
  /** Memory that is used again for each join: fresh memory costs more than the copy. */
  #room: Buffer = Buffer.alloc(0)

  constructor(at: number) {
    this.at = at
  }

  /** Joins `next`; throws PIECE_TOO_LARGE when `what` does not end within the limit. */
  join(next: Buffer, what: string): Buffer {
    const { length } = this.bytes
    if (length > pieceBytesMax)
      throw fault('PIECE_TOO_LARGE', `a ${what} at byte ${this.at} is over ${pieceBytesMax} bytes`)
    if (length === 0) {
      this.bytes = next
    } else {
      this.#own(this.bytes, length + next.length)
      next.copy(this.#room, length)
      this.bytes = this.#room.subarray(0, length + next.length)
    }
    return this.bytes
  }

  /** Forgets the first `count` bytes and keeps a copy of the others, which are few. */
  drop(count: number): void {
    this.at += count
    const rest = this.bytes.subarray(count)
    this.#own(rest, rest.length)
    this.bytes = this.#room.subarray(0, rest.length)
  }

  /** Puts `bytes` at the start of the room, which is made larger where it must be. */
  #own(bytes: Buffer, needed: number): void {
    const room =
      this.#room.length < needed ? Buffer.allocUnsafeSlow(needed + roomBytes) : this.#room
    bytes.copy(room)
    this.#room = room
  }
}
