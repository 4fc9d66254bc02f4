import type { PieceList } from '../pieces/piece-list.ts'

/**
 * Cuts one file. It is pure: it sees bytes and tells offsets, and knows neither disk nor network.
 * The same pieces come out however the file is divided into pushes.
 */
export interface Chunker {
  /** Takes the file's next bytes and adds the pieces that they decide. `bytes` is not kept. */
  push(bytes: Buffer, pieces: PieceList): void | Promise<void>
  /** Ends the file: adds what is left. */
  end(pieces: PieceList): void | Promise<void>
  /**
   * A new chunker of the same kind that is given the file from this offset on (and `carry`) makes
   * the pieces that this one has still to make.
   */
  readonly resumeAt: number
  /** What else the next one must know; empty for most kinds. */
  readonly carry?: string
  /** Gives back threads and the like, when the chunker is left before its end. */
  close?(): Promise<void>
}

/** Where a chunker begins when it does not begin at the start of the file. */
export interface Resume {
  readonly startAt: number
  readonly carry: string
  /** Up to `contextBytes` of the file before `startAt`, for patterns that look back. */
  readonly before: Buffer
}

/** The start of a file. */
export const fileStart: Resume = { startAt: 0, carry: '', before: Buffer.alloc(0) }
