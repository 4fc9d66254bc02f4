import { readSync } from 'node:fs'
import { shortened } from './shortened.ts'

/** Bytes that are read at one time: larger blocks leave the processor's cache before they are written. */
export const blockBytes = 1 * 2 ** 20

/** Reads stretches of open files by blocking calls; small ones that follow each other by one call. */
export class BlockReader {
  readonly #block = Buffer.allocUnsafeSlow(blockBytes)
  /** What of the file is in the block. */
  #at = 0
  #filled = 0
  #fd = -1

  /** Turns to a file; what was read of another is forgotten. */
  open(fd: number): void {
    if (fd !== this.#fd) this.#filled = 0
    this.#fd = fd
  }

  /** Returns [start, end), at most a block, good until the next call. */
  read(start: number, end: number): Buffer {
    if (start < this.#at || end > this.#at + this.#filled) this.#fill(start)
    if (end > this.#at + this.#filled) throw shortened(this.#at + this.#filled)
    return this.#block.subarray(start - this.#at, end - this.#at)
  }

  /** Yields [start, end) block by block, each good until the next. */
  *blocks(start: number, end: number): Generator<Buffer> {
    for (let at = start; at < end; at += blockBytes)
      yield this.read(at, Math.min(end, at + blockBytes))
  }

  #fill(start: number): void {
    this.#at = start
    this.#filled = 0
    while (this.#filled < blockBytes) {
      const rest = blockBytes - this.#filled
      const count = readSync(this.#fd, this.#block, this.#filled, rest, start + this.#filled)
      if (count === 0) break
      this.#filled += count
    }
  }
}
