import { baseOffsetAt, batchBytesAt, nextOffsetAt } from '../log/batch.ts'
import type { PartitionLog } from '../log/partition-log.ts'

/** Partitions of which bytes are kept; each takes up to 256 KiB, or one batch. */
const keptMax = 64
/** Bytes of one read: of scattered messages, and of those that come one after the other. */
const [scatteredBytes, inRowBytes] = [65_536, 262_144]

interface Kept {
  readonly parts: readonly Buffer[]
  /** Offsets of the first record and behind the last. */
  readonly from: number
  readonly next: number
}

/**
 * Reads batches for handing out work and keeps what was read last of each partition: the next call
 * mostly wants what follows. What stands at an offset never changes, so nothing kept is ever wrong.
 */
export class ReadCache {
  readonly #kept = new Map<PartitionLog, Kept>()

  /** Returns durable batches from the one that holds `offset` (or before it) on; see PartitionLog.read. */
  async read(log: PartitionLog, offset: number): Promise<readonly Buffer[]> {
    const known = this.#kept.get(log)
    if (known && offset >= known.from && offset < known.next) return known.parts
    const parts = await log.read(offset, known?.next === offset ? inRowBytes : scatteredBytes)
    const [first, last] = [parts[0], parts.at(-1)]
    this.#kept.delete(log)
    if (!first || !last) return parts
    this.#kept.set(log, { parts, from: baseOffsetAt(first), next: endOf(last) })
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > keptMax && oldest) this.#kept.delete(oldest)
    return parts
  }
}

function endOf(part: Buffer): number {
  let next = 0
  for (let at = 0; at < part.length; at += batchBytesAt(part, at)) next = nextOffsetAt(part, at)
  return next
}
