import { createHash, hash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { writeWholeSync } from './whole-write.ts'

/** Chunks that one thread writes, each to a file of its own; plain data. */
export interface WriteJob {
  /** The open file that is chunked; threads share it and read at offsets. */
  readonly fd: number
  /** Where the files go, and their names; file i holds [starts[i], ends[i]). */
  readonly folder: string
  readonly names: readonly string[]
  readonly starts: Float64Array
  readonly ends: Float64Array
  /** What is put around each; `before` is not put before the first file when `isFirst`. */
  readonly before: Uint8Array
  readonly after: Uint8Array
  readonly isFirst: boolean
  /** Whether SHA-256 are wanted. */
  readonly sums: boolean
}

/** Bytes that are read at one time: larger blocks leave the processor's cache before they are written. */
const blockBytes = 1 * 2 ** 20

/** Writes chunks by blocking calls, which is what makes many of them fast: not for the thread of a server. */
export class PieceWriter {
  readonly #block = Buffer.allocUnsafeSlow(blockBytes)
  /** What of the file is in the block. */
  #at = 0
  #filled = 0
  #fd = -1

  /** Returns the SHA-256 of every file one after the other, or nothing without sums. */
  write(job: WriteJob): Uint8Array<ArrayBuffer> {
    const { names, starts, ends, before, isFirst, sums } = job
    if (job.fd !== this.#fd) this.#filled = 0
    this.#fd = job.fd
    const sha256 = new Uint8Array(sums ? names.length * 32 : 0)
    for (const [index, name] of names.entries()) {
      const [start, end] = [starts[index] as number, ends[index] as number]
      const own = isFirst && index === 0 ? nothing : before
      const sum = this.#writeOne(`${job.folder}/${name}`, [start, end], own, job)
      if (sum) sha256.set(sum, index * 32)
    }
    return sha256
  }

  #writeOne(
    path: string,
    [start, end]: readonly [number, number],
    before: Uint8Array,
    { after, sums }: WriteJob,
  ): Buffer | undefined {
    const isSmall = end - start <= blockBytes && before.length === 0 && after.length === 0
    const whole = isSmall ? this.#read(start, end) : undefined
    const file = openSync(path, 'w')
    try {
      if (whole) {
        writeWholeSync(file, whole)
        return sums ? hash('sha256', whole, 'buffer') : undefined
      }
      const sha = sums ? createHash('sha256') : undefined
      const add = (bytes: Uint8Array) => {
        writeWholeSync(file, bytes)
        sha?.update(bytes)
      }
      add(before)
      for (let at = start; at < end; at += blockBytes)
        add(this.#read(at, Math.min(end, at + blockBytes)))
      add(after)
      return sha?.digest()
    } finally {
      closeSync(file)
    }
  }

  /** Returns [start, end), at most a block; a block is read ahead, for the pieces that follow. */
  #read(start: number, end: number): Buffer {
    if (start === end) return this.#block.subarray(0, 0)
    if (start < this.#at || end > this.#at + this.#filled) {
      this.#at = start
      this.#filled = 0
      while (this.#filled < blockBytes) {
        const rest = blockBytes - this.#filled
        const count = readSync(this.#fd, this.#block, this.#filled, rest, start + this.#filled)
        if (count === 0) break
        this.#filled += count
      }
      if (end > start + this.#filled) throw new Error('the file has become shorter')
    }
    return this.#block.subarray(start - this.#at, end - this.#at)
  }
}

const nothing = new Uint8Array()
