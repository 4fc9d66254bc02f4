import type { Blocks } from './blocks.ts'
import { type ArchiveFormat, dosDate, type Entry } from './format.ts'

const largest = 0xffffffff
const mostEntries = 0xffff
/** Bit 11: names are UTF-8. */
const utf8Flag = 0x800

/**
 * Zip without compression (APPNOTE 6.3): sizes and sums stand before each entry, so that it can be
 * read as it comes; ZIP64 where a size, an offset or the number of entries asks for it.
 */
export function createZip(): ArchiveFormat {
  return {
    begin(entry, out) {
      const name = Buffer.from(entry.name)
      const isLarge = entry.bytes >= largest
      const extra = isLarge ? wide([entry.bytes, entry.bytes]) : Buffer.alloc(0)
      const head = Buffer.alloc(30)
      head.writeUInt32LE(0x04034b50, 0)
      writeCommon(head, 4, entry, isLarge)
      head.writeUInt16LE(name.length, 26)
      head.writeUInt16LE(extra.length, 28)
      out.add(head)
      out.add(name)
      out.add(extra)
    },
    finish() {},
    async *end(batches, out) {
      const startAt = out.total
      let offset = 0
      let count = 0
      for await (const entries of batches) {
        for (const entry of entries) {
          addCentral(entry, offset, out)
          offset += localBytes(entry)
          count++
        }
        yield* out.full()
      }
      addEnd(count, startAt, out.total - startAt, out)
      yield* out.all()
    },
  }
}

function localBytes({ name, bytes }: Entry): number {
  return 30 + Buffer.byteLength(name) + (bytes >= largest ? 20 : 0) + bytes
}

/** Version, flags, method, time, date, CRC and the two sizes: alike in both kinds of head. */
function writeCommon(head: Buffer, at: number, { bytes, crc32 }: Entry, isLarge: boolean): void {
  head.writeUInt16LE(isLarge ? 45 : 20, at)
  head.writeUInt16LE(utf8Flag, at + 2)
  head.writeUInt16LE(dosDate, at + 8)
  head.writeUInt32LE(crc32, at + 10)
  head.writeUInt32LE(Math.min(bytes, largest), at + 14)
  head.writeUInt32LE(Math.min(bytes, largest), at + 18)
}

/** The extra field of ZIP64: numbers of 64 bits for those that do not fit into 32. */
function wide(values: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + 8 * values.length)
  field.writeUInt16LE(1, 0)
  field.writeUInt16LE(8 * values.length, 2)
  for (const [index, value] of values.entries())
    field.writeBigUInt64LE(BigInt(value), 4 + 8 * index)
  return field
}

function addCentral(entry: Entry, offset: number, out: Blocks): void {
  const name = Buffer.from(entry.name)
  const values = [
    ...(entry.bytes >= largest ? [entry.bytes, entry.bytes] : []),
    ...(offset >= largest ? [offset] : []),
  ]
  const extra = values.length > 0 ? wide(values) : Buffer.alloc(0)
  const head = Buffer.alloc(46)
  head.writeUInt32LE(0x02014b50, 0)
  // Made by UNIX, so that the mode of a plain file (0644) is understood.
  head.writeUInt16LE((3 << 8) | 45, 4)
  writeCommon(head, 6, entry, values.length > 0)
  head.writeUInt16LE(name.length, 28)
  head.writeUInt16LE(extra.length, 30)
  head.writeUInt32LE((0o100644 << 16) >>> 0, 38)
  head.writeUInt32LE(Math.min(offset, largest), 42)
  out.add(head)
  out.add(name)
  out.add(extra)
}

function addEnd(count: number, startAt: number, bytes: number, out: Blocks): void {
  const isLarge = count >= mostEntries || startAt >= largest || bytes >= largest
  if (isLarge) {
    const record = Buffer.alloc(76)
    record.writeUInt32LE(0x06064b50, 0)
    record.writeBigUInt64LE(44n, 4)
    record.writeUInt16LE(45, 12)
    record.writeUInt16LE(45, 14)
    record.writeBigUInt64LE(BigInt(count), 24)
    record.writeBigUInt64LE(BigInt(count), 32)
    record.writeBigUInt64LE(BigInt(bytes), 40)
    record.writeBigUInt64LE(BigInt(startAt), 48)
    record.writeUInt32LE(0x07064b50, 56)
    record.writeBigUInt64LE(BigInt(startAt + bytes), 64)
    record.writeUInt32LE(1, 72)
    out.add(record)
  }
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(Math.min(count, mostEntries), 8)
  end.writeUInt16LE(Math.min(count, mostEntries), 10)
  end.writeUInt32LE(Math.min(bytes, largest), 12)
  end.writeUInt32LE(Math.min(startAt, largest), 16)
  out.add(end)
}
