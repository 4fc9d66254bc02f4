import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { ArchiveFormat, Entry, Sink } from '../archives/format.ts'
import { formatOf, type PlacedOutput } from '../archives/format-of.ts'
import { putSum, sumBytes } from '../pieces/sum-piece.ts'
import { type BlockReader, blockBytes } from './block-reader.ts'
import type { PieceJob, PieceSums } from './piece-job.ts'
import { writeWholeSync } from './whole-write.ts'

/** Writes chunks into an archive, one after the other from a place on. */
export interface EntriesJob extends PieceJob {
  readonly kind: 'entries'
  readonly output: PlacedOutput
  /** The open file of the archive, which threads share. */
  readonly target: number
  /** Where the first entry begins in it. */
  readonly at: number
}

/**
 * Writes entries of an archive by blocking calls: each chunk is read once, for its sums and for the
 * archive. Where an entry lies is told by sizes alone, so several threads write one archive at once.
 */
export class EntryWriter {
  readonly #reader: BlockReader
  readonly #gathered = new GatheredWrites()

  constructor(reader: BlockReader) {
    this.#reader = reader
  }

  write(job: EntriesJob): PieceSums {
    const { fd, names, output, target, at } = job
    const format = formatOf(output)
    const sums = {
      sha256: Buffer.alloc(names.length * sumBytes),
      crc32: new Uint32Array(names.length),
    }
    this.#reader.open(fd)
    this.#gathered.open(target, at)
    for (const index of names.keys()) this.#writeOne(index, job, format, sums)
    this.#gathered.flush()
    return sums
  }

  #writeOne(index: number, job: EntriesJob, format: ArchiveFormat, sums: Sums): void {
    const { names, starts, ends, before, after, isFirst } = job
    const [start, end] = [starts[index] as number, ends[index] as number]
    const lead = isFirst && index === 0 ? nothing : before
    const sized = { name: names[index] as string, bytes: lead.length + end - start + after.length }
    const out = this.#gathered
    if (sized.bytes === end - start && sized.bytes <= blockBytes) {
      const whole = this.#reader.read(start, end)
      putSum(whole, sums.sha256, index * sumBytes)
      if (format.hasCrc) sums.crc32[index] = crc32(whole)
      const entry = { ...sized, crc32: sums.crc32[index] as number }
      format.begin(entry, out)
      out.add(whole)
      format.finish(entry, out)
      return
    }
    // What stands before a chunk tells its sum: it is written when the chunk has gone by.
    const headAt = out.at
    out.skip(format.around(sized).before)
    const sha = createHash('sha256')
    let crc = 0
    const add = (bytes: Uint8Array) => {
      if (format.hasCrc) crc = crc32(bytes, crc)
      sha.update(bytes)
      out.add(bytes)
    }
    add(lead)
    for (const block of this.#reader.blocks(start, end)) add(block)
    add(after)
    sha.digest().copy(sums.sha256, index * sumBytes)
    sums.crc32[index] = crc
    const entry: Entry = { ...sized, crc32: crc }
    writeHead(format, entry, job.target, headAt)
    format.finish(entry, out)
  }
}

type Sums = { readonly sha256: Buffer } & Pick<PieceSums, 'crc32'>

const nothing = new Uint8Array()

function writeHead(format: ArchiveFormat, entry: Entry, target: number, at: number): void {
  const parts: Buffer[] = []
  format.begin(entry, { add: (bytes) => parts.push(bytes) })
  writeWholeSync(target, Buffer.concat(parts), at)
}

/** Gathers small writes that follow each other; larger ones pass by without a copy. */
class GatheredWrites implements Sink {
  /** Where the next byte goes. */
  at = 0
  readonly #block = Buffer.allocUnsafeSlow(blockBytes)
  #used = 0
  #target = -1

  open(target: number, at: number): void {
    this.#target = target
    this.at = at
    this.#used = 0
  }

  add(bytes: Uint8Array): void {
    if (bytes.length > blockBytes - this.#used) this.flush()
    if (bytes.length >= passedBytes) {
      this.flush()
      writeWholeSync(this.#target, bytes, this.at)
    } else {
      this.#block.set(bytes, this.#used)
      this.#used += bytes.length
    }
    this.at += bytes.length
  }

  /** Leaves out `bytes`, which are written by somebody else. */
  skip(bytes: number): void {
    this.flush()
    this.at += bytes
  }

  flush(): void {
    if (this.#used === 0) return
    writeWholeSync(this.#target, this.#block.subarray(0, this.#used), this.at - this.#used)
    this.#used = 0
  }
}

/** From so many bytes on a call to write costs less than a copy. */
const passedBytes = 64 * 1_024
