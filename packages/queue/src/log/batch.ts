import { crc32 } from 'node:zlib'

/**
 * One batch of records (or one state event), the same bytes on the wire and on disk. The client fills
 * in the payload and its own fields; the broker stamps offset, partition, time and epoch over the
 * header in place and never touches the payload. Little-endian; drawn in docs/formats/queue-batch.md.
 *
 *    0  u32  CRC-32 of bytes 4..63        32  u32  records
 *    4  u32  "DQB" and version 1          36  u32  last offset - first offset
 *    8  u32  bytes of the whole batch     40  u32  CRC-32 of the payload
 *   12  u32  partition                    44  u32  epoch of the partition's owner
 *   16  u64  offset of the first record   48  u64  producer, 0 for none
 *   24  u64  ms since 1970                56  u32  producer's number of the first record
 *                                         60  u16  producer's epoch
 *   64  payload                           62  u16  kind
 */
export const batchHeaderBytes = 64
const batchMagic = 0x0142_5144

/** What the payload holds: records, or one event of the broker's state as JSON. */
export const batchKinds = { records: 0, event: 1 } as const

const upper = 0x1_0000_0000

export function readU64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * upper
}

/** Throws RangeError for what is not a whole number in [0, 2^53). */
export function writeU64(bytes: Buffer, at: number, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is no u64 of ours`)
  bytes.writeUInt32LE(value % upper, at)
  bytes.writeUInt32LE(Math.floor(value / upper), at + 4)
}

export const batchBytesAt = (bytes: Buffer, at = 0) => bytes.readUInt32LE(at + 8)
export const partitionAt = (bytes: Buffer, at = 0) => bytes.readUInt32LE(at + 12)
export const baseOffsetAt = (bytes: Buffer, at = 0) => readU64(bytes, at + 16)
export const timeAt = (bytes: Buffer, at = 0) => readU64(bytes, at + 24)
export const recordCountAt = (bytes: Buffer, at = 0) => bytes.readUInt32LE(at + 32)
export const nextOffsetAt = (bytes: Buffer, at = 0) =>
  readU64(bytes, at + 16) + bytes.readUInt32LE(at + 36) + 1
export const producerAt = (bytes: Buffer, at = 0) => readU64(bytes, at + 48)
export const sequenceAt = (bytes: Buffer, at = 0) => bytes.readUInt32LE(at + 56)
export const producerEpochAt = (bytes: Buffer, at = 0) => bytes.readUInt16LE(at + 60)
export const kindAt = (bytes: Buffer, at = 0) => bytes.readUInt16LE(at + 62)

/** The fields that whoever makes a batch decides. */
export interface BatchFields {
  readonly kind?: number
  readonly records: number
  readonly producer?: number
  readonly producerEpoch?: number
  readonly sequence?: number
}

/** Fills in the header of `batch`, whose payload stands behind the first 64 bytes already. */
export function sealBatch(batch: Buffer, fields: BatchFields): void {
  batch.fill(0, 0, batchHeaderBytes)
  batch.writeUInt32LE(batchMagic, 4)
  batch.writeUInt32LE(batch.length, 8)
  batch.writeUInt32LE(fields.records, 32)
  batch.writeUInt32LE(Math.max(0, fields.records - 1), 36)
  batch.writeUInt32LE(crc32(batch.subarray(batchHeaderBytes)), 40)
  writeU64(batch, 48, fields.producer ?? 0)
  batch.writeUInt32LE((fields.sequence ?? 0) >>> 0, 56)
  batch.writeUInt16LE(fields.producerEpoch ?? 0, 60)
  batch.writeUInt16LE(fields.kind ?? batchKinds.records, 62)
  sealHeader(batch)
}

/** What the broker decides about a batch. */
export interface BatchStamp {
  readonly partition: number
  readonly baseOffset: number
  readonly timeMs: number
  readonly epoch: number
}

/** Writes the broker's fields over those in the header, in place. */
export function stampBatch(batch: Buffer, stamp: BatchStamp): void {
  batch.writeUInt32LE(stamp.partition, 12)
  writeU64(batch, 16, stamp.baseOffset)
  writeU64(batch, 24, stamp.timeMs)
  batch.writeUInt32LE(stamp.epoch, 44)
  sealHeader(batch)
}

/** Sets the distance to the last offset: compaction leaves out records in between. */
export function setLastDelta(batch: Buffer, lastDelta: number): void {
  batch.writeUInt32LE(lastDelta, 36)
  sealHeader(batch)
}

function sealHeader(batch: Buffer): void {
  batch.writeUInt32LE(crc32(batch.subarray(4, batchHeaderBytes)), 0)
}

/** Holds when a whole, unspoilt header stands at `at`, and its batch has a length that can be. */
export function hasHeader(bytes: Buffer, at: number): boolean {
  if (at + batchHeaderBytes > bytes.length || bytes.readUInt32LE(at + 4) !== batchMagic)
    return false
  return (
    batchBytesAt(bytes, at) >= batchHeaderBytes &&
    crc32(bytes.subarray(at + 4, at + batchHeaderBytes)) === bytes.readUInt32LE(at)
  )
}

/** Holds when a whole, unspoilt batch stands at `at`. Costs a pass over its bytes, some 5 GB/s. */
export function hasBatch(bytes: Buffer, at: number): boolean {
  if (!hasHeader(bytes, at)) return false
  const end = at + batchBytesAt(bytes, at)
  return (
    end <= bytes.length &&
    crc32(bytes.subarray(at + batchHeaderBytes, end)) === bytes.readUInt32LE(at + 40)
  )
}
