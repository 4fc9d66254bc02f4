import type { PieceList } from '../piece-list.ts'

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
   * A new chunker of the same kind that is given the file from this offset on makes the pieces that
   * this one has still to make.
   */
  readonly resumeAt: number
}
