import { crc32 } from 'node:zlib'
import { fault } from '../errors.ts'
import { batchBytesAt, batchHeaderBytes, hasBatch, readU64, writeU64 } from './batch.ts'
import type { Disk, DiskFile } from './disk.ts'
import { readWhole } from './read-whole.ts'

/**
 * A write-ahead file: one header, then one group for each group commit, then an end mark once it is
 * full; what lies behind is of no meaning. A group's header binds the file (by a number drawn at
 * random, so that what an earlier use of the file left is never taken for new), the place, and the
 * headers of its batches, which in turn bind their payloads.
 *
 *   file    0 "DRQWAL" 0 2 | 8 u64 drawn number | 16 u64 0 | 24 u32 0 | 28 u32 CRC of 0..27
 *   group   0 u32 CRC of 4..47 | 4 u32 "DQG" 2 | 8 u64 drawn number | 16 u64 position in the file
 *           24 u32 bytes behind this header | 28 u32 batches, 0 for the end mark
 *           32 u32 CRC of their headers | 36 u32 0 | 40 u64 last event before
 */
const walMagic = Buffer.from('DRQWAL\0\u0002', 'latin1')
const walHeaderBytes = 32

/** What differs between the versions: in the first, a file ended with its last group. */
interface Layout {
  readonly groupMagic: number
  readonly groupHeaderBytes: number
}
const layouts: Readonly<Record<number, Layout>> = {
  1: { groupMagic: 0x0147_5144, groupHeaderBytes: 40 },
  2: { groupMagic: 0x0247_5144, groupHeaderBytes: 48 },
}
const { groupMagic, groupHeaderBytes } = layouts[2] as Layout

/** A write-ahead file that is being written. One group at a time. */
export class WalFile {
  /** Where it lies; whoever renames it sets it. */
  path: string
  /** Where the next group goes. */
  bytes = walHeaderBytes
  /** Up to here the disk has given it room: writing there changes nothing but the bytes. */
  room: number
  readonly #file: DiskFile
  readonly #mark: number

  private constructor(path: string, file: DiskFile, mark: number, room: number) {
    this.path = path
    this.#file = file
    this.#mark = mark
    this.room = room
  }

  /** Makes a file for its first use. `mark` must be drawn at random, below 2^53. */
  static async create(disk: Disk, path: string, mark: number): Promise<WalFile> {
    const file = await disk.create(path)
    try {
      await file.write([fileHeader(mark)], 0)
      await file.sync()
    } catch (error) {
      await file.close()
      throw error
    }
    return new WalFile(path, file, mark, walHeaderBytes)
  }

  /** Begins another use of the file, under a new mark; what it holds is of no meaning from then on. */
  async recycle(mark: number): Promise<WalFile> {
    await this.#file.write([fileHeader(mark)], 0)
    await this.#file.sync()
    return new WalFile(this.path, this.#file, mark, this.room)
  }

  /** Writes zeros up to `bytes`, unless `stops` holds: the disk then need not make room in a hurry. */
  async makeRoom(bytes: number, stops: () => boolean): Promise<void> {
    const zeros = Buffer.alloc(Math.min(zerosAtOnce, Math.max(0, bytes - this.room)))
    while (this.room < bytes && !stops()) {
      const part = zeros.subarray(0, bytes - this.room)
      await this.#file.write([part], this.room)
      await this.#file.sync()
      this.room += part.length
    }
  }

  /** Writes `batches` as one group and syncs: one fdatasync for all who wait for them. */
  async writeGroup(batches: readonly Buffer[], bytes: number, after: number): Promise<void> {
    const header = Buffer.alloc(groupHeaderBytes)
    header.writeUInt32LE(groupMagic, 4)
    writeU64(header, 8, this.#mark)
    writeU64(header, 16, this.bytes)
    header.writeUInt32LE(bytes, 24)
    header.writeUInt32LE(batches.length, 28)
    let chain = 0
    for (const batch of batches) chain = crc32(batch.subarray(0, batchHeaderBytes), chain)
    header.writeUInt32LE(chain, 32)
    writeU64(header, 40, after)
    header.writeUInt32LE(crc32(header.subarray(4)), 0)
    await this.#file.write([header, ...batches], this.bytes)
    await this.#file.sync()
    this.bytes += groupHeaderBytes + bytes
    this.room = Math.max(this.room, this.bytes)
  }

  /** Ends the file with a group without batches: whatever is missing before it from now on is a loss. */
  seal(after: number): Promise<void> {
    return this.writeGroup([], 0, after)
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}

const zerosAtOnce = 1_048_576

function fileHeader(mark: number): Buffer {
  const header = Buffer.alloc(walHeaderBytes)
  walMagic.copy(header)
  writeU64(header, 8, mark)
  header.writeUInt32LE(crc32(header.subarray(0, 28)), 28)
  return header
}

/** How a write-ahead file ends. */
export type WalEnd =
  /** By its end mark, or, in the first version, exactly behind its last group. */
  | { readonly kind: 'whole' }
  /**
   * Behind its last group no other follows: it was being written, or waited for its turn. `torn`: a
   * crash cut off a group; nobody was told that it was stored.
   */
  | { readonly kind: 'open'; readonly position: number; readonly torn: boolean }
  /** A group in the middle is spoilt: whole ones stand behind it. */
  | { readonly kind: 'damaged'; readonly position: number }

/**
 * Calls `begin` with the number of the last event before each group, then `visit` with each batch of
 * it, for all whole groups in order, and says how the file ends.
 */
export async function readWal(
  disk: Disk,
  path: string,
  begin: (after: number) => void,
  visit: (batch: Buffer) => void,
): Promise<WalEnd> {
  const bytes = await readWhole(disk, path)
  const layout = readLayout(bytes)
  if (!layout)
    return bytes.length > walHeaderBytes
      ? { kind: 'damaged', position: 0 }
      : { kind: 'open', position: 0, torn: true }
  const file = { bytes, layout, mark: readU64(bytes, 8) }
  const ended = layout.groupHeaderBytes !== groupHeaderBytes
  if (ended) begin(readU64(bytes, 16))
  let position = walHeaderBytes
  while (position < bytes.length) {
    const group = readGroup(file, position)
    if (!group) return endAt(file, position)
    if (group.length === 0) return { kind: 'whole' }
    if (!ended) begin(readU64(bytes, position + 40))
    for (const batch of group) visit(batch)
    position += layout.groupHeaderBytes + bytes.readUInt32LE(position + 24)
  }
  return ended ? { kind: 'whole' } : { kind: 'open', position, torn: false }
}

interface Held {
  readonly bytes: Buffer
  readonly layout: Layout
  readonly mark: number
}

/** Throws FORMAT_UNKNOWN; nothing when the header is not what was written. */
function readLayout(bytes: Buffer): Layout | undefined {
  if (bytes.length < walHeaderBytes || !bytes.subarray(0, 6).equals(walMagic.subarray(0, 6)))
    return undefined
  if (crc32(bytes.subarray(0, 28)) !== bytes.readUInt32LE(28)) return undefined
  const layout = layouts[bytes[7] ?? 0]
  if (!layout) throw fault('FORMAT_UNKNOWN', `a write-ahead file of version ${bytes[7]}`)
  return layout
}

function hasGroupHeader({ bytes, layout, mark }: Held, at: number): boolean {
  const end = at + layout.groupHeaderBytes
  return (
    end <= bytes.length &&
    bytes.readUInt32LE(at + 4) === layout.groupMagic &&
    readU64(bytes, at + 8) === mark &&
    readU64(bytes, at + 16) === at &&
    crc32(bytes.subarray(at + 4, end)) === bytes.readUInt32LE(at)
  )
}

/** The batches of the group at `at`, or nothing when any byte of it is not as it was written. */
function readGroup(file: Held, at: number): Buffer[] | undefined {
  if (!hasGroupHeader(file, at)) return undefined
  const { bytes } = file
  let place = at + file.layout.groupHeaderBytes
  const end = place + bytes.readUInt32LE(at + 24)
  if (end > bytes.length) return undefined
  const batches: Buffer[] = []
  let chain = 0
  while (place < end) {
    if (!hasBatch(bytes, place) || place + batchBytesAt(bytes, place) > end) return undefined
    batches.push(bytes.subarray(place, place + batchBytesAt(bytes, place)))
    chain = crc32(bytes.subarray(place, place + batchHeaderBytes), chain)
    place += batchBytesAt(bytes, place)
  }
  const whole =
    batches.length === bytes.readUInt32LE(at + 28) && chain === bytes.readUInt32LE(at + 32)
  return whole ? batches : undefined
}

/** There is no whole group at `position`. */
function endAt(file: Held, position: number): WalEnd {
  if (hasLaterGroup(file, position)) return { kind: 'damaged', position }
  return { kind: 'open', position, torn: hasGroupHeader(file, position) }
}

/** A group is begun only when the one before is synced, so a later one proves that this was whole. */
function hasLaterGroup(file: Held, at: number): boolean {
  const wanted = Buffer.alloc(12)
  wanted.writeUInt32LE(file.layout.groupMagic, 0)
  writeU64(wanted, 4, file.mark)
  const { bytes } = file
  for (
    let found = bytes.indexOf(wanted, at + 5);
    found >= 0;
    found = bytes.indexOf(wanted, found + 1)
  )
    if (hasGroupHeader(file, found - 4)) return true
  return false
}

export function walPath(id: number): string {
  return `wal-${String(id).padStart(12, '0')}.log`
}

/** The number in a write-ahead file's name; undefined for other files. */
export function walIdOf(name: string): number | undefined {
  const match = /^wal-(\d{12})\.log$/.exec(name)
  return match ? Number(match[1]) : undefined
}

/** Holds when nothing was ever written to the file behind its header. */
export function isUnused(end: WalEnd): boolean {
  return end.kind === 'open' && end.position <= walHeaderBytes && !end.torn
}
