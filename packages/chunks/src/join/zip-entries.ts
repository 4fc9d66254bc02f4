import { fault } from '../errors.ts'
import { manifestName } from '../pieces/manifest.ts'
import type { Source } from '../source/file-source.ts'
import { type Entries, readAt } from './entries.ts'

/** The largest directory of a zip that is read, in bytes. */
const directoryBytesMax = 512 * 2 ** 20

/** Finds the entries of a stored zip by its directory. Throws CHUNKS_DAMAGED. */
export async function findInZip(source: Source): Promise<Entries> {
  const { count, at, bytes } = await findDirectory(source)
  if (bytes > directoryBytesMax || at + bytes > source.bytes)
    throw fault('CHUNKS_DAMAGED', 'the directory of the zip is not where it should be')
  const directory = await readAt(source, at, bytes)
  const places = new Float64Array(2 * Math.min(count, bytes / 46))
  let manifest: Entries['manifest']
  for (let index = 0, head = 0; index < count; index++) {
    if (head + 46 > directory.length || directory.readUInt32LE(head) !== 0x02014b50)
      throw fault('CHUNKS_DAMAGED', `entry ${index} of the zip's directory is damaged`)
    if (directory.readUInt16LE(head + 10) !== 0)
      throw fault('CHUNKS_DAMAGED', 'the zip is compressed; it was written by other software')
    const nameBytes = directory.readUInt16LE(head + 28)
    const extraBytes = directory.readUInt16LE(head + 30)
    const extra = directory.subarray(head + 46 + nameBytes, head + 46 + nameBytes + extraBytes)
    const size = wideOr(directory.readUInt32LE(head + 24), extra, 0)
    const skip = directory.readUInt32LE(head + 24) === 0xffffffff ? 2 : 0
    const local = wideOr(directory.readUInt32LE(head + 42), extra, skip)
    const name = directory.toString('utf8', head + 46, head + 46 + nameBytes)
    // The local head repeats the name; its extra field is there for entries of 4 GiB and more.
    const start = local + 30 + nameBytes + (skip === 2 ? 20 : 0)
    if (name === manifestName) manifest = { at: start, bytes: size }
    places.set([start, size], 2 * index)
    head += 46 + nameBytes + extraBytes + directory.readUInt16LE(head + 32)
  }
  return { manifest, places }
}

function wideOr(value: number, extra: Buffer, index: number): number {
  const at = 4 + 8 * index
  if (value !== 0xffffffff || extra.length < at + 8) return value
  return Number(extra.readBigUInt64LE(at))
}

async function findDirectory(
  source: Source,
): Promise<{ count: number; at: number; bytes: number }> {
  const end = await readAt(source, Math.max(0, source.bytes - 98), 98)
  const plain = end.subarray(-22)
  if (plain.length < 22 || plain.readUInt32LE(0) !== 0x06054b50)
    throw fault('CHUNKS_DAMAGED', 'the zip has no end')
  if (end.length === 98 && end.readUInt32LE(0) === 0x06064b50)
    return {
      count: Number(end.readBigUInt64LE(24)),
      bytes: Number(end.readBigUInt64LE(40)),
      at: Number(end.readBigUInt64LE(48)),
    }
  return {
    count: plain.readUInt16LE(8),
    bytes: plain.readUInt32LE(12),
    at: plain.readUInt32LE(16),
  }
}
