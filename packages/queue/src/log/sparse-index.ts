import { crc32 } from 'node:zlib'
import { readU64, writeU64 } from './batch.ts'
import type { Disk } from './disk.ts'

/**
 * The places of some batches of a segment: about one for each `everyBytes`. A cache: without its file
 * it is made again by a walk.
 *
 *   file   0 "DRQIDX" 0 1 | 8 u64 bytes of the segment it covers | 16 u64 offset after them
 *          24 u64 last time | 32 u32 entries | 36 u32 CRC of 0..35 and of all behind
 *          40 entries of 24: u64 offset, u64 position, u64 time
 */
const indexMagic = Buffer.from('DRQIDX\0\u0001', 'latin1')
const headerBytes = 40
const entryBytes = 24

/** What a kept index says about its segment. */
interface Covered {
  readonly bytes: number
  readonly next: number
  readonly lastTimeMs: number
}

export class SparseIndex {
  readonly #everyBytes: number
  readonly #offsets: number[] = []
  readonly #positions: number[] = []
  readonly #times: number[] = []
  #after = 0

  constructor(everyBytes: number) {
    this.#everyBytes = everyBytes
  }

  /** Notes that a batch begins at `position`, when the last note is far enough behind. */
  note(offset: number, position: number, timeMs: number): void {
    if (position < this.#after) return
    this.#offsets.push(offset)
    this.#positions.push(position)
    this.#times.push(timeMs)
    this.#after = position + this.#everyBytes
  }

  /** Returns a position at or before the batch that holds `offset`. */
  find(offset: number): number {
    return this.#positions[lastAtMost(this.#offsets, offset)] ?? 64
  }

  /** Returns an offset at or before the first batch stored at `timeMs` or later. */
  findTime(timeMs: number): number | undefined {
    // Clocks may jump back, so times are not in order: the first entry that is late enough counts.
    const late = this.#times.findIndex((time) => time >= timeMs)
    const at = late < 0 ? this.#times.length - 1 : Math.max(0, late - 1)
    return this.#offsets[at]
  }

  async save(disk: Disk, path: string, { bytes, next, lastTimeMs }: Covered): Promise<void> {
    const image = Buffer.alloc(headerBytes + this.#offsets.length * entryBytes)
    indexMagic.copy(image)
    writeU64(image, 8, bytes)
    writeU64(image, 16, next)
    writeU64(image, 24, lastTimeMs)
    image.writeUInt32LE(this.#offsets.length, 32)
    for (let entry = 0; entry < this.#offsets.length; entry++) {
      const at = headerBytes + entry * entryBytes
      writeU64(image, at, this.#offsets[entry] ?? 0)
      writeU64(image, at + 8, this.#positions[entry] ?? 0)
      writeU64(image, at + 16, this.#times[entry] ?? 0)
    }
    image.writeUInt32LE(checksum(image), 36)
    const file = await disk.create(path)
    try {
      await file.write([image], 0)
      await file.sync()
    } finally {
      await file.close()
    }
  }

  /** Returns the index in the file at `path`; undefined when there is none that can be believed. */
  static async load(
    disk: Disk,
    path: string,
    everyBytes: number,
  ): Promise<(SparseIndex & Covered) | undefined> {
    let image: Buffer
    try {
      image = await readFile(disk, path)
    } catch (error) {
      if ((error as { code?: string }).code === 'ENOENT') return undefined
      throw error
    }
    if (!isSound(image)) return undefined
    const index = new SparseIndex(everyBytes)
    for (let at = headerBytes; at < image.length; at += entryBytes)
      index.note(readU64(image, at), readU64(image, at + 8), readU64(image, at + 16))
    return Object.assign(index, {
      bytes: readU64(image, 8),
      next: readU64(image, 16),
      lastTimeMs: readU64(image, 24),
    })
  }
}

async function readFile(disk: Disk, path: string): Promise<Buffer> {
  const file = await disk.open(path)
  try {
    const image = Buffer.alloc(await file.size())
    await file.read(image, 0)
    return image
  } finally {
    await file.close()
  }
}

function isSound(image: Buffer): boolean {
  return (
    image.length >= headerBytes &&
    image.subarray(0, 8).equals(indexMagic) &&
    image.length === headerBytes + image.readUInt32LE(32) * entryBytes &&
    checksum(image) === image.readUInt32LE(36)
  )
}

function checksum(image: Buffer): number {
  return crc32(image.subarray(headerBytes), crc32(image.subarray(0, 36)))
}

/** The place of the last of `sorted` that is at most `value`, or -1. */
function lastAtMost(sorted: readonly number[], value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] ?? 0) <= value) low = middle + 1
    else high = middle
  }
  return low - 1
}
