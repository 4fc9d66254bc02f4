import type { LogOptions } from '../options.ts'
import { baseOffsetAt, batchBytesAt, nextOffsetAt } from './batch.ts'
import type { Disk } from './disk.ts'
import type { PartitionLog } from './partition-log.ts'
import { deltaAt, eachRecord, filterBatch, keyAt, valueAt } from './record.ts'
import { indexPath, Segment } from './segment.ts'

/** Keys that one pass remembers; a log with more is compacted a part at a time. */
const keysMax = 1_000_000
const readBytes = 1_048_576

/**
 * Rewrites the closed segments of `log` without the records that a later one of the same key
 * replaces, and without empty values that are a key's last. Records without a key stay. Offsets
 * stay. A power cut leaves each segment as it was or compacted, never between.
 */
export async function compactLog(
  disk: Disk,
  log: PartitionLog,
  options: LogOptions,
): Promise<void> {
  const last = await lastOffsets(log)
  for (const segment of log.closedSegments) {
    const batches = await keptBatches(segment, last)
    if (batches) await rewrite(disk, log, segment, batches, options)
  }
}

/** The last offset of each key in all that is durable. */
async function lastOffsets(log: PartitionLog): Promise<Map<string, number>> {
  const last = new Map<string, number>()
  let offset = log.start
  while (offset < log.durable) {
    const parts = await log.read(offset, readBytes)
    if (parts.length === 0) break
    for (const part of parts)
      offset = eachBatch(part, (batch) => {
        eachRecord(batch, 0, (place) => {
          const key = keyAt(batch, place)
          if (key !== undefined && (last.size < keysMax || last.has(key)))
            last.set(key, baseOffsetAt(batch) + deltaAt(batch, place))
        })
      })
  }
  return last
}

function eachBatch(bytes: Buffer, visit: (batch: Buffer) => void): number {
  let next = 0
  for (let at = 0; at < bytes.length; at += batchBytesAt(bytes, at)) {
    visit(bytes.subarray(at, at + batchBytesAt(bytes, at)))
    next = nextOffsetAt(bytes, at)
  }
  return next
}

/** The batches that stay, shortened; undefined when all records do. */
async function keptBatches(
  segment: Segment,
  last: ReadonlyMap<string, number>,
): Promise<Buffer[] | undefined> {
  const kept: Buffer[] = []
  let changed = false
  for (let offset = segment.base; offset < segment.next; ) {
    const bytes = await segment.read(offset, readBytes)
    if (bytes.length === 0) break
    offset = eachBatch(bytes, (batch) => {
      const rest = filterBatch(batch, (place) => {
        const key = keyAt(batch, place)
        const own = baseOffsetAt(batch) + deltaAt(batch, place)
        const latest = key === undefined ? own : (last.get(key) ?? own)
        return latest === own && !(key !== undefined && valueAt(batch, place).length === 0)
      })
      if (rest !== batch) changed = true
      if (rest) kept.push(rest)
    })
  }
  return changed ? kept : undefined
}

async function rewrite(
  disk: Disk,
  log: PartitionLog,
  old: Segment,
  batches: readonly Buffer[],
  options: LogOptions,
): Promise<void> {
  const { folder } = log
  const made = old.path.replace(/\.log$/, '.compact')
  const { indexEveryBytes } = options
  const draft = await Segment.create(disk, made, log.id, old.base, indexEveryBytes)
  await draft.append(batches)
  await draft.sync()
  await draft.close()
  // An index of the old bytes must never stand beside the new ones.
  await disk.remove(indexPath(old.path))
  await disk.syncFolder(folder)
  await disk.rename(made, old.path)
  await disk.syncFolder(folder)
  const bytes = Number.POSITIVE_INFINITY
  const { segment } = await Segment.open(disk, old.path, log.id, bytes, indexEveryBytes)
  segment.next = Math.max(segment.next, old.next)
  segment.lastTimeMs = old.lastTimeMs
  await segment.saveIndex(disk)
  await log.replace(old, segment)
}
