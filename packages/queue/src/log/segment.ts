import { crc32 } from 'node:zlib'
import { fault } from '../errors.ts'
import {
  baseOffsetAt,
  batchBytesAt,
  batchHeaderBytes,
  hasBatch,
  hasHeader,
  nextOffsetAt,
  readU64,
  timeAt,
  writeU64,
} from './batch.ts'
import type { Disk, DiskFile } from './disk.ts'
import { SparseIndex } from './sparse-index.ts'

/**
 * One file of a partition: a header of 64 bytes, then batches as they came.
 *
 *    0 "DRQSEG" 0 1 | 8 u64 offset of the first record | 16 u32 partition | 20..59 zero | 60 u32 CRC of 0..59
 */
const segmentMagic = Buffer.from('DRQSEG\0\u0001', 'latin1')
export const segmentHeaderBytes = 64
const scanBytes = 1_048_576

/** Where a segment's bytes are not what was written. */
export interface Damage {
  readonly path: string
  readonly position: number
}

export class Segment {
  readonly path: string
  readonly base: number
  /** How many bytes of the file count. */
  bytes = segmentHeaderBytes
  /** The offset after the last record. */
  next: number
  lastTimeMs = 0
  index: SparseIndex
  readonly #file: DiskFile
  #readers = 0
  #closing = false

  private constructor(path: string, base: number, file: DiskFile, indexEveryBytes: number) {
    this.path = path
    this.base = base
    this.next = base
    this.#file = file
    this.index = new SparseIndex(indexEveryBytes)
  }

  /** Makes an empty segment; it lasts once `sync` was called and its folder synced. */
  static async create(
    disk: Disk,
    path: string,
    partition: number,
    base: number,
    indexEveryBytes: number,
  ): Promise<Segment> {
    const file = await disk.create(path)
    const header = Buffer.alloc(segmentHeaderBytes)
    segmentMagic.copy(header)
    writeU64(header, 8, base)
    header.writeUInt32LE(partition, 16)
    header.writeUInt32LE(crc32(header.subarray(0, 60)), 60)
    await file.write([header], 0)
    return new Segment(path, base, file, indexEveryBytes)
  }

  /**
   * Opens a segment of which `bytes` are known to be synced. Its index comes from the file beside it,
   * or from a walk over the headers. Returns where the walk met bytes that are not what was written.
   */
  static async open(
    disk: Disk,
    path: string,
    partition: number,
    bytes: number,
    indexEveryBytes: number,
  ): Promise<{ segment: Segment; damage: Damage | undefined }> {
    const file = await disk.open(path)
    const header = Buffer.alloc(segmentHeaderBytes)
    await file.read(header, 0)
    if (!hasSegmentHeader(header, partition)) {
      await file.close()
      throw fault('LOG_DAMAGED', `${path}: its first ${segmentHeaderBytes} bytes are spoilt`)
    }
    const segment = new Segment(path, readU64(header, 8), file, indexEveryBytes)
    const size = await file.size()
    const kept = await SparseIndex.load(disk, indexPath(path), indexEveryBytes)
    if (kept && kept.bytes <= size && kept.bytes <= bytes) {
      segment.index = kept
      segment.bytes = kept.bytes
      segment.next = kept.next
      segment.lastTimeMs = kept.lastTimeMs
    }
    const damage = await segment.#walk(Math.min(bytes, size))
    const short =
      Number.isFinite(bytes) && size < bytes ? { path, position: segment.bytes } : undefined
    return { segment, damage: damage ?? short }
  }

  /** Cuts off what lies behind the bytes that count. */
  async cutTail(): Promise<void> {
    if ((await this.#file.size()) > this.bytes) await this.#file.truncate(this.bytes)
  }

  /** Appends batches; they count at once, and last after the next `sync`. */
  async append(batches: readonly Buffer[]): Promise<void> {
    await this.#file.write(batches, this.bytes)
    for (const batch of batches) this.#count(batch, 0)
  }

  sync(): Promise<void> {
    return this.#file.sync()
  }

  /** Keeps the index in a file beside the segment, so that the next open need not walk. */
  saveIndex(disk: Disk): Promise<void> {
    const { bytes, next, lastTimeMs } = this
    return this.index.save(disk, indexPath(this.path), { bytes, next, lastTimeMs })
  }

  /**
   * Returns whole batches from the one that holds `offset` (or the next there is) on, about
   * `bytesMax` but at least one; none at the end. Throws LOG_DAMAGED with file and position.
   */
  async read(offset: number, bytesMax: number): Promise<Buffer> {
    this.#readers++
    try {
      let position = this.index.find(offset)
      for (;;) {
        if (position >= this.bytes) return Buffer.alloc(0)
        const chunk = await this.#readChunk(position, bytesMax)
        const found = wholeBatches(chunk, offset)
        if (found.damaged) throw damaged(this.path, position + found.end)
        if (found.start < found.end) return chunk.subarray(found.start, found.end)
        position += found.end
      }
    } finally {
      this.#readers--
      if (this.#closing && this.#readers === 0) await this.#file.close()
    }
  }

  /** Closes the file once nobody reads it any more. */
  async close(): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    if (this.#readers === 0) await this.#file.close()
  }

  async #readChunk(position: number, bytesMax: number): Promise<Buffer> {
    const least = Math.min(this.bytes - position, Math.max(bytesMax, batchHeaderBytes))
    let chunk = Buffer.allocUnsafeSlow(least)
    chunk = chunk.subarray(0, await this.#file.read(chunk, position))
    if (!hasHeader(chunk, 0)) throw damaged(this.path, position)
    const first = batchBytesAt(chunk)
    if (first <= chunk.length) return chunk
    if (position + first > this.bytes) throw damaged(this.path, position)
    const whole = Buffer.allocUnsafeSlow(first)
    return whole.subarray(0, await this.#file.read(whole, position))
  }

  /** Walks over the headers up to `end` and fills the index. */
  async #walk(end: number): Promise<Damage | undefined> {
    const chunk = Buffer.allocUnsafeSlow(Math.min(scanBytes, Math.max(0, end - this.bytes)))
    while (this.bytes < end) {
      const from = this.bytes
      const filled = chunk.subarray(0, await this.#file.read(chunk, from))
      let at = 0
      while (from + at < end && at + batchHeaderBytes <= filled.length) {
        const sound =
          hasHeader(filled, at) &&
          from + at + batchBytesAt(filled, at) <= end &&
          baseOffsetAt(filled, at) >= this.next
        if (!sound) return { path: this.path, position: from + at }
        this.#count(filled, at)
        at = this.bytes - from
      }
      if (at === 0) return { path: this.path, position: from }
    }
    return undefined
  }

  #count(bytes: Buffer, at: number): void {
    this.index.note(baseOffsetAt(bytes, at), this.bytes, timeAt(bytes, at))
    this.bytes += batchBytesAt(bytes, at)
    this.next = nextOffsetAt(bytes, at)
    this.lastTimeMs = timeAt(bytes, at)
  }
}

/** The whole batches in `chunk` that reach up to `offset` or beyond: from `start` to `end`. */
function wholeBatches(chunk: Buffer, offset: number) {
  let start = -1
  let end = 0
  while (end + batchHeaderBytes <= chunk.length) {
    if (!hasHeader(chunk, end)) return { start, end, damaged: start < 0 }
    const next = end + batchBytesAt(chunk, end)
    if (next > chunk.length) break
    if (start < 0 && nextOffsetAt(chunk, end) > offset) start = end
    // What comes before is served; the next read begins at the spoilt batch and reports it.
    if (start >= 0 && !hasBatch(chunk, end)) return { start, end, damaged: start === end }
    end = next
  }
  return { start: start < 0 ? end : start, end, damaged: false }
}

function damaged(path: string, position: number) {
  return fault('LOG_DAMAGED', `${path}: the bytes at ${position} are not what was written`)
}

function hasSegmentHeader(header: Buffer, partition: number): boolean {
  if (!header.subarray(0, 6).equals(segmentMagic.subarray(0, 6))) return false
  if (header[7] !== 1) throw fault('FORMAT_UNKNOWN', `a segment of version ${header[7]}`)
  return (
    header.readUInt32LE(16) === partition &&
    crc32(header.subarray(0, 60)) === header.readUInt32LE(60)
  )
}

export function segmentPath(folder: string, base: number): string {
  return `${folder}/${String(base).padStart(16, '0')}.log`
}

/** The first offset in a segment's name; undefined for other files. */
export function segmentBaseOf(name: string): number | undefined {
  const match = /^(\d{16})\.log$/.exec(name)
  return match ? Number(match[1]) : undefined
}

export function indexPath(segment: string): string {
  return segment.replace(/\.log$/, '.index')
}
