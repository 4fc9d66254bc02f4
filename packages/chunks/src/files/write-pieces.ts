import { createHash } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { putSum, sumBytes } from '../pieces/sum-piece.ts'
import { type BlockReader, blockBytes } from './block-reader.ts'
import type { PieceJob, PieceSums } from './piece-job.ts'
import { writeWholeSync } from './whole-write.ts'

/** Writes each chunk to a file of its own. */
export interface FilesJob extends PieceJob {
  readonly kind: 'files'
  /** Where the files go. */
  readonly folder: string
  /** Whether SHA-256 are wanted. */
  readonly sums: boolean
}

/** Writes chunks by blocking calls, which is what makes many of them fast: not for the thread of a server. */
export class PieceWriter {
  readonly #reader: BlockReader

  constructor(reader: BlockReader) {
    this.#reader = reader
  }

  /** Returns the SHA-256 of every file one after the other, or nothing without sums. */
  write(job: FilesJob): PieceSums {
    const { fd, names, sums } = job
    this.#reader.open(fd)
    const sha256 = Buffer.alloc(sums ? names.length * sumBytes : 0)
    for (const [index, name] of names.entries()) {
      const file = openSync(`${job.folder}/${name}`, 'w')
      try {
        this.#writeOne(file, index, job, sha256)
      } finally {
        closeSync(file)
      }
    }
    return { sha256, crc32: new Uint32Array() }
  }

  #writeOne(file: number, index: number, job: FilesJob, sha256: Buffer): void {
    const { starts, ends, before, after, isFirst, sums } = job
    const [start, end] = [starts[index] as number, ends[index] as number]
    if (end - start <= blockBytes && before.length === 0 && after.length === 0) {
      const whole = this.#reader.read(start, end)
      writeWholeSync(file, whole)
      if (sums) putSum(whole, sha256, index * sumBytes)
      return
    }
    const sha = sums ? createHash('sha256') : undefined
    const add = (bytes: Uint8Array) => {
      writeWholeSync(file, bytes)
      sha?.update(bytes)
    }
    if (!isFirst || index > 0) add(before)
    for (const block of this.#reader.blocks(start, end)) add(block)
    add(after)
    sha?.digest().copy(sha256, index * sumBytes)
  }
}
