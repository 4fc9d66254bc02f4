import { fault } from '../errors.ts'
import {
  baseOffsetAt,
  producerAt,
  producerEpochAt,
  recordCountAt,
  sequenceAt,
} from '../log/batch.ts'

/** Producers remembered in one partition; the one silent for the longest is forgotten beyond it. */
const producersMax = 10_000
/** Batches of each producer whose repetition is recognised: as many as a client has under way. */
const batchesMax = 16

interface Producer {
  epoch: number
  /** The number that its next record must have. */
  next: number
  /** The latest batches, oldest first, in triples: number of the first record, records, offset. */
  recent: number[]
}

/**
 * Keeps a retried batch from being stored twice: a producer counts its records in each partition, and
 * a batch is taken only when it is the next one. The idea is Kafka's (KIP-98).
 */
export class Producers {
  readonly #known = new Map<number, Producer>()

  static restore(kept: readonly (readonly [number, Producer])[]): Producers {
    const producers = new Producers()
    for (const [id, producer] of kept) producers.#known.set(id, producer)
    return producers
  }

  keep(): [number, Producer][] {
    return [...this.#known]
  }

  /**
   * Returns the offset where this batch is stored already, or nothing when it is new. Throws
   * SEQUENCE_GAP and PRODUCER_FENCED.
   */
  check(batch: Buffer): number | undefined {
    const id = producerAt(batch)
    if (id === 0) return undefined
    const known = this.#known.get(id)
    const epoch = producerEpochAt(batch)
    const first = sequenceAt(batch)
    if (known && epoch < known.epoch)
      throw fault('PRODUCER_FENCED', `producer ${id} has epoch ${known.epoch}, not ${epoch}`)
    const next = known?.epoch === epoch ? known.next : 0
    if (first === next) return undefined
    const { recent } = known ?? { recent: [] }
    for (let at = 0; at < recent.length; at += 3)
      if (recent[at] === first && recent[at + 1] === recordCountAt(batch) && epoch === known?.epoch)
        return recent[at + 2]
    throw fault('SEQUENCE_GAP', `producer ${id} sends ${first}; ${next} is next`)
  }

  apply(batch: Buffer): void {
    const id = producerAt(batch)
    if (id === 0) return
    const epoch = producerEpochAt(batch)
    const known = this.#known.get(id)
    const first = sequenceAt(batch)
    const count = recordCountAt(batch)
    const recent = known?.epoch === epoch ? known.recent : []
    recent.push(first, count, baseOffsetAt(batch))
    if (recent.length > batchesMax * 3) recent.splice(0, 3)
    // Set anew, so that the map's order is that of use.
    this.#known.delete(id)
    this.#known.set(id, { epoch, next: (first + count) >>> 0, recent })
    if (this.#known.size > producersMax) {
      const [oldest] = this.#known.keys()
      if (oldest !== undefined) this.#known.delete(oldest)
    }
  }
}
