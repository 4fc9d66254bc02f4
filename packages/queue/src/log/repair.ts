import {
  baseOffsetAt,
  batchBytesAt,
  batchHeaderBytes,
  hasBatch,
  hasHeader,
  nextOffsetAt,
  partitionAt,
  sealBatch,
  setLastDelta,
  stampBatch,
} from './batch.ts'
import type { Disk } from './disk.ts'
import type { Flushed } from './partition-log.ts'
import { readWhole } from './read-whole.ts'
import { indexPath, segmentBaseOf, segmentHeaderBytes, segmentPath } from './segment.ts'
import { readSnapshot } from './snapshot.ts'
import { isUnused, readWal, type WalEnd, walIdOf, walPath } from './wal-file.ts'

/** Where repairs put what they took out. */
const asideFolder = 'spoilt'

/** One spoilt place, and what became of it. */
export interface Repair {
  readonly path: string
  readonly position: number
  readonly bytes: number
  /** Offsets that are lost with it, when they are known: from, and up to but without. */
  readonly offsets: readonly [number, number] | undefined
  /** The file that holds the bytes now. */
  readonly aside: string
}

/**
 * Takes spoilt bytes out of the files of one broker, so that it opens and serves all else; nobody may
 * have them open. The bytes are kept in the folder `spoilt`. A write-ahead file is cut where it is
 * spoilt, and what follows goes with it: its meaning hangs on what came before. In a segment whole
 * batches behind the place stay; an empty batch takes the place, so that nothing else moves. Returns
 * what was repaired; nothing when all is sound. Throws LOG_DAMAGED for a spoilt snapshot, which cannot
 * be helped. Cost: reads all files once.
 */
export async function repairLog(disk: Disk): Promise<readonly Repair[]> {
  const snapshot = await readSnapshot(disk)
  const repairs: Repair[] = []
  for (const { id, folder, flushed } of snapshot?.partitions ?? [])
    repairs.push(...(await repairPartition(disk, id, folder, flushed)))
  repairs.push(...(await repairWals(disk)))
  return repairs
}

async function repairWals(disk: Disk): Promise<Repair[]> {
  const ends = await walEnds(disk)
  const repairs: Repair[] = []
  for (const [place, [path, end]] of ends.entries()) {
    // The open end of the last file that was begun is no damage: the next start cuts it off.
    const isSound = end.kind === 'whole' || (end.kind === 'open' && place === ends.length - 1)
    if (isSound && repairs.length === 0) continue
    const position = repairs.length > 0 || end.kind === 'whole' ? 0 : end.position
    const bytes = (await readWhole(disk, path)).subarray(position)
    const aside = await putAside(disk, path, position, bytes)
    repairs.push({ path, position, bytes: bytes.length, offsets: undefined, aside })
    if (position === 0) await disk.remove(path)
    else await cut(disk, path, position)
  }
  if (repairs.length > 0) await disk.syncFolder('.')
  return repairs
}

/** The write-ahead files that were begun, in order, and how each ends. */
async function walEnds(disk: Disk): Promise<[string, WalEnd][]> {
  const ids = (await disk.list('.')).map(walIdOf).filter((id) => id !== undefined)
  const ends: [string, WalEnd][] = []
  const nothing = () => {}
  for (const path of ids.map(walPath)) {
    const end = await readWal(disk, path, nothing, nothing)
    if (!isUnused(end)) ends.push([path, end])
  }
  return ends
}

async function cut(disk: Disk, path: string, position: number): Promise<void> {
  const file = await disk.open(path)
  await file.truncate(position)
  await file.sync()
  await file.close()
}

async function repairPartition(
  disk: Disk,
  id: number,
  folder: string,
  flushed: Flushed | undefined,
): Promise<Repair[]> {
  const names = await disk.list(folder)
  const bases = names.map(segmentBaseOf).filter((base) => base !== undefined)
  const repairs: Repair[] = []
  for (const [at, base] of bases.entries()) {
    if (!flushed || base > flushed.base) continue
    const last = base === flushed.base
    const next = last ? flushed.next : (bases[at + 1] ?? flushed.next)
    const bytes = last ? flushed.bytes : undefined
    const path = segmentPath(folder, base)
    repairs.push(...(await repairSegment(disk, { path, partition: id, base, next, bytes })))
  }
  return repairs
}

interface SegmentPlace {
  readonly path: string
  readonly partition: number
  /** Offsets of its first record, and of the first behind it. */
  readonly base: number
  readonly next: number
  /** How much of the file counts; all of it when not known. */
  readonly bytes: number | undefined
}

async function repairSegment(disk: Disk, place: SegmentPlace): Promise<Repair[]> {
  const { path } = place
  const found = await readWhole(disk, path)
  const size = place.bytes ?? found.length
  const bytes = Buffer.alloc(Math.max(size, segmentHeaderBytes))
  found.copy(bytes, 0, 0, size)
  const gaps = findGaps(bytes, place)
  if (gaps.length === 0) return []
  const repairs: Repair[] = []
  for (const { from, to, offsets } of gaps) {
    const aside = await putAside(disk, path, from, found.subarray(from, to))
    repairs.push({ path, position: from, bytes: to - from, offsets, aside })
  }
  const file = await disk.open(path)
  for (const { from, to, offsets } of gaps)
    await file.write([emptyBatch(to - from, place.partition, offsets)], from)
  await file.sync()
  await file.close()
  await disk.remove(indexPath(path))
  await disk.syncFolder(path.slice(0, path.lastIndexOf('/')))
  return repairs
}

interface Gap {
  readonly from: number
  readonly to: number
  readonly offsets: readonly [number, number]
}

/** The spoilt places between whole batches. */
function findGaps(bytes: Buffer, { partition, base, next }: SegmentPlace): Gap[] {
  const gaps: Gap[] = []
  let offset = base
  for (let at = segmentHeaderBytes; at < bytes.length; ) {
    const whole = (place: number) =>
      hasBatch(bytes, place) &&
      partitionAt(bytes, place) === partition &&
      baseOffsetAt(bytes, place) >= offset
    if (whole(at)) {
      offset = nextOffsetAt(bytes, at)
      at += batchBytesAt(bytes, at)
      continue
    }
    // A header that is whole tells where the next batch begins, but not beyond the end.
    let to = hasHeader(bytes, at) ? at + batchBytesAt(bytes, at) : at + batchHeaderBytes
    while (to < bytes.length && !whole(to)) to++
    to = Math.min(to, bytes.length)
    const end = to < bytes.length ? baseOffsetAt(bytes, to) : Math.max(next, offset + 1)
    gaps.push({ from: at, to, offsets: [offset, end] })
    offset = end
    at = to
  }
  return gaps
}

/** A batch of `bytes` bytes without records that stands for all of `offsets`. */
function emptyBatch(bytes: number, partition: number, [from, to]: readonly [number, number]) {
  const batch = Buffer.alloc(bytes)
  sealBatch(batch, { records: 0 })
  stampBatch(batch, { partition, baseOffset: from, timeMs: 0, epoch: 0 })
  setLastDelta(batch, to - from - 1)
  return batch
}

async function putAside(disk: Disk, path: string, position: number, bytes: Buffer) {
  await disk.makeFolder(asideFolder)
  const name = `${asideFolder}/${path.replaceAll('/', '-')}-${position}`
  const file = await disk.create(name)
  if (bytes.length > 0) await file.write([bytes], 0)
  await file.sync()
  await file.close()
  await disk.syncFolder(asideFolder)
  await disk.syncFolder('.')
  return name
}
