import { crc32 } from 'node:zlib'
import { fault } from '../errors.ts'
import { batchBytesAt, batchHeaderBytes, hasBatch, readU64, writeU64 } from './batch.ts'
import type { Disk, DiskFile } from './disk.ts'
import { readWhole } from './read-whole.ts'

/**
 * A write-ahead file: one header, then one group for each group commit. A group's header binds the
 * file (by a number drawn at random, so that a stale block of an old file is never taken for new),
 * the place, and the headers of its batches, which in turn bind their payloads.
 *
 *   file    0 "DRQWAL" 0 1 | 8 u64 drawn number | 16 u64 last event before | 24 u32 0 | 28 u32 CRC of 0..27
 *   group   0 u32 CRC of 4..39 | 4 u32 "DQG" 1 | 8 u64 drawn number | 16 u64 position in the file
 *           24 u32 bytes behind this header | 28 u32 batches | 32 u32 CRC of their headers | 36 u32 0
 */
const walMagic = Buffer.from('DRQWAL\0\u0001', 'latin1')
const walHeaderBytes = 32
const groupMagic = 0x0147_5144
const groupHeaderBytes = 40

/** A write-ahead file that is being written. One group at a time. */
export class WalFile {
  readonly path: string
  readonly id: number
  bytes = walHeaderBytes
  readonly #file: DiskFile
  readonly #mark: number

  private constructor(path: string, id: number, file: DiskFile, mark: number) {
    this.path = path
    this.id = id
    this.#file = file
    this.#mark = mark
  }

  /**
   * Makes the file so that it outlasts a power cut. `mark` must be drawn at random, below
   * 2^53; `after` is the number of the last event in the files before.
   */
  static async create(disk: Disk, id: number, mark: number, after: number): Promise<WalFile> {
    const path = walPath(id)
    const file = await disk.create(path)
    const header = Buffer.alloc(walHeaderBytes)
    walMagic.copy(header)
    writeU64(header, 8, mark)
    writeU64(header, 16, after)
    header.writeUInt32LE(crc32(header.subarray(0, 28)), 28)
    await file.write([header], 0)
    await file.sync()
    await disk.syncFolder('.')
    return new WalFile(path, id, file, mark)
  }

  /** Writes `batches` as one group and syncs: one fdatasync for all who wait for them. */
  async writeGroup(batches: readonly Buffer[], bytes: number): Promise<void> {
    const header = Buffer.alloc(groupHeaderBytes)
    header.writeUInt32LE(groupMagic, 4)
    writeU64(header, 8, this.#mark)
    writeU64(header, 16, this.bytes)
    header.writeUInt32LE(bytes, 24)
    header.writeUInt32LE(batches.length, 28)
    let chain = 0
    for (const batch of batches) chain = crc32(batch.subarray(0, batchHeaderBytes), chain)
    header.writeUInt32LE(chain, 32)
    header.writeUInt32LE(crc32(header.subarray(4)), 0)
    await this.#file.write([header, ...batches], this.bytes)
    await this.#file.sync()
    this.bytes += groupHeaderBytes + bytes
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}

/** How a write-ahead file ends. */
export type WalEnd =
  | { readonly kind: 'whole' }
  /** The last group was cut off by a crash; nobody was told that it was stored. */
  | { readonly kind: 'torn'; readonly position: number }
  /** A group in the middle is spoilt: whole ones stand behind it. */
  | { readonly kind: 'damaged'; readonly position: number }

/**
 * Calls `begin` with the number of the last event before the file, then `visit` with each batch of
 * the whole groups, in order, and says how the file ends.
 */
export async function readWal(
  disk: Disk,
  path: string,
  begin: (after: number) => void,
  visit: (batch: Buffer) => void,
): Promise<WalEnd> {
  const bytes = await readWhole(disk, path)
  const mark = readMark(bytes)
  if (mark === undefined)
    return { kind: bytes.length > walHeaderBytes ? 'damaged' : 'torn', position: 0 }
  begin(readU64(bytes, 16))
  let position = walHeaderBytes
  while (position < bytes.length) {
    const group = readGroup(bytes, position, mark)
    if (!group) return { kind: hasLaterGroup(bytes, position, mark) ? 'damaged' : 'torn', position }
    for (const batch of group) visit(batch)
    position += groupHeaderBytes + bytes.readUInt32LE(position + 24)
  }
  return { kind: 'whole' }
}

function readMark(bytes: Buffer): number | undefined {
  if (bytes.length < walHeaderBytes || !bytes.subarray(0, 6).equals(walMagic.subarray(0, 6)))
    return undefined
  if (crc32(bytes.subarray(0, 28)) !== bytes.readUInt32LE(28)) return undefined
  if (bytes[7] !== 1) throw fault('FORMAT_UNKNOWN', `a write-ahead file of version ${bytes[7]}`)
  return readU64(bytes, 8)
}

function hasGroupHeader(bytes: Buffer, at: number, mark: number): boolean {
  return (
    at + groupHeaderBytes <= bytes.length &&
    bytes.readUInt32LE(at + 4) === groupMagic &&
    readU64(bytes, at + 8) === mark &&
    readU64(bytes, at + 16) === at &&
    crc32(bytes.subarray(at + 4, at + groupHeaderBytes)) === bytes.readUInt32LE(at)
  )
}

/** The batches of the group at `at`, or nothing when any byte of it is not as it was written. */
function readGroup(bytes: Buffer, at: number, mark: number): Buffer[] | undefined {
  if (!hasGroupHeader(bytes, at, mark)) return undefined
  const end = at + groupHeaderBytes + bytes.readUInt32LE(at + 24)
  if (end > bytes.length) return undefined
  const batches: Buffer[] = []
  let chain = 0
  let place = at + groupHeaderBytes
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

/** A group is begun only when the one before is synced, so a later one proves that this was whole. */
function hasLaterGroup(bytes: Buffer, at: number, mark: number): boolean {
  const wanted = Buffer.alloc(12)
  wanted.writeUInt32LE(groupMagic, 0)
  writeU64(wanted, 4, mark)
  for (
    let found = bytes.indexOf(wanted, at + 5);
    found >= 0;
    found = bytes.indexOf(wanted, found + 1)
  )
    if (hasGroupHeader(bytes, found - 4, mark)) return true
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
