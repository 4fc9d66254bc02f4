import type { Lease, QueueEngine } from '@drover/queue'
import type { RequestQueue } from './request-queue.ts'

const topic = 'chunk-requests'
/** A worker that dies gives its request back after this, in ms. */
const leaseMs = 15_000
const waitMs = 10_000

/**
 * The queue of requests on a durable queue: an id is a message, worked on under a lease that is kept
 * while the work goes on, so that any front on the same queue may take what another one left.
 */
export class EngineRequestQueue implements RequestQueue {
  readonly #engine: Pick<
    QueueEngine,
    'topics' | 'createTopic' | 'produce' | 'lease' | 'extend' | 'ack' | 'nack' | 'cancel'
  >
  readonly #leases = new Map<string, Lease>()
  readonly #renewals = new Map<string, () => void>()
  readonly #every: (intervalMs: number, action: () => void) => () => void

  /** `every` is the clock's. */
  constructor(engine: QueueEngine, every: (intervalMs: number, action: () => void) => () => void) {
    this.#engine = engine
    this.#every = every
  }

  /** Makes the topic when it is not there. */
  async open(): Promise<void> {
    const topics = await this.#engine.topics()
    if (!topics.some(({ name }) => name === topic))
      await this.#engine.createTopic(topic, {
        partitions: 1,
        attemptsMax: 100,
        deadLetter: '',
        dedupeMs: 7 * 86_400_000,
      })
  }

  async add(id: string): Promise<void> {
    // After a restart the same id is added again; the key keeps it from being queued twice.
    await this.#engine.produce(topic, [{ value: Buffer.from(id), dedupeKey: id }])
  }

  async take(signal: AbortSignal): Promise<string> {
    for (;;) {
      signal.throwIfAborted()
      const [lease] = await this.#engine.lease(topic, { leaseMs, waitMs }, signal)
      if (!lease) continue
      const id = Buffer.from(lease.record.value).toString()
      this.#leases.set(id, lease)
      const renew = () => void this.#engine.extend([lease.token], leaseMs).catch(() => {})
      this.#renewals.set(id, this.#every(leaseMs / 3, renew))
      return id
    }
  }

  async done(id: string): Promise<void> {
    const lease = this.#leases.get(id)
    this.#forget(id)
    if (lease) await this.#engine.ack([lease.token])
  }

  async remove(id: string): Promise<void> {
    await this.#engine.cancel(topic, { dedupeKey: id })
  }

  /** Gives back what was under way, so that it is handed out again at once. */
  async close(): Promise<void> {
    const tokens = [...this.#leases.values()].map(({ token }) => token)
    if (tokens.length > 0) await this.#engine.nack(tokens, { delayMs: 0 })
    for (const id of [...this.#leases.keys()]) this.#forget(id)
  }

  #forget(id: string): void {
    this.#renewals.get(id)?.()
    this.#renewals.delete(id)
    this.#leases.delete(id)
  }
}
