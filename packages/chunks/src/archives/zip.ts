import { type ArchiveFormat, dosDate, type Entry, type Sink } from './format.ts'

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
    hasCrc: true,
    around: (entry) => ({ before: localBytes(entry), after: 0 }),
    begin(entry, out) {
      const isLarge = entry.bytes >= largest
      const head = startHead(30, entry.name)
      const { length } = head
      head.writeUInt32LE(0x04034b50, 0)
      writeCommon(head, 4, entry, isLarge)
      head.writeUInt16LE(length - 30, 26)
      head.writeUInt16LE(isLarge ? 20 : 0, 28)
      out.add(head)
      if (isLarge) out.add(wide([entry.bytes, entry.bytes]))
    },
    finish() {},
    async *end(batches, out) {
      const startAt = out.total
      let offset = 0
      let count = 0
      for await (const entries of batches) {
        for (const entry of entries) {
          addCentral(entry, offset, out)
          offset += localBytes(entry) + entry.bytes
          count++
        }
        yield* out.full()
      }
      addEnd(count, startAt, out.total - startAt, out)
      yield* out.all()
    },
  }
}

/** Bytes of what stands before an entry's own. */
function localBytes({ name, bytes }: Omit<Entry, 'crc32'>): number {
  return 30 + Buffer.byteLength(name) + (bytes >= largest ? 20 : 0)
}

/** A head of `bytes`, all zero, with the name behind it: one buffer, for there are many of them. */
function startHead(bytes: number, name: string): Buffer {
  const head = Buffer.allocUnsafe(bytes + Buffer.byteLength(name)).fill(0, 0, bytes)
  head.write(name, bytes)
  return head
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

function addCentral(entry: Entry, offset: number, out: Sink): void {
  const values = [
    ...(entry.bytes >= largest ? [entry.bytes, entry.bytes] : []),
    ...(offset >= largest ? [offset] : []),
  ]
  const head = startHead(46, entry.name)
  const { length } = head
  head.writeUInt32LE(0x02014b50, 0)
  // Made by UNIX, so that the mode of a plain file (0644) is understood.
  head.writeUInt16LE((3 << 8) | 45, 4)
  writeCommon(head, 6, entry, values.length > 0)
  head.writeUInt16LE(length - 46, 28)
  head.writeUInt16LE(values.length > 0 ? 4 + 8 * values.length : 0, 30)
  head.writeUInt32LE((0o100644 << 16) >>> 0, 38)
  head.writeUInt32LE(Math.min(offset, largest), 42)
  out.add(head)
  if (values.length > 0) out.add(wide(values))
}

function addEnd(count: number, startAt: number, bytes: number, out: Sink): void {
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
