import type { Lease, QueueEngine } from '@drover/queue'
import type { RequestQueue } from './request-queue.ts'

/** A worker that dies gives its request back after this, in ms. */
const leaseMs = 15_000
const waitMs = 10_000

/**
 * The queue of requests on a durable queue: an id is a message, worked on under a lease that is kept
 * while the work goes on, in the order in which they came.
 */
export class EngineRequestQueue implements RequestQueue {
  readonly #engine: Pick<
    QueueEngine,
    | 'topics'
    | 'createTopic'
    | 'deleteTopic'
    | 'produce'
    | 'lease'
    | 'extend'
    | 'ack'
    | 'nack'
    | 'cancel'
  >
  readonly #topic: string
  readonly #leases = new Map<string, Lease>()
  readonly #renewals = new Map<string, () => void>()
  readonly #every: (intervalMs: number, action: () => void) => () => void

  /** `every` is the clock's. The topic belongs to one front alone. */
  constructor(
    engine: QueueEngine,
    every: (intervalMs: number, action: () => void) => () => void,
    topic = 'chunk-requests',
  ) {
    this.#engine = engine
    this.#every = every
    this.#topic = topic
  }

  /**
   * Makes the topic anew: the front adds what is to be done in its order, and nothing waits for the
   * leases of a front that was killed.
   */
  async open(): Promise<void> {
    const topics = await this.#engine.topics()
    if (topics.some(({ name }) => name === this.#topic)) await this.#engine.deleteTopic(this.#topic)
    await this.#engine.createTopic(this.#topic, {
      partitions: 1,
      attemptsMax: 100,
      deadLetter: '',
      dedupeMs: 7 * 86_400_000,
    })
  }

  async add(id: string): Promise<void> {
    // The key keeps an id from being queued twice, and is what `remove` finds it by.
    await this.#engine.produce(this.#topic, [{ value: Buffer.from(id), dedupeKey: id }])
  }

  async take(signal: AbortSignal): Promise<string> {
    for (;;) {
      signal.throwIfAborted()
      const [lease] = await this.#engine.lease(this.#topic, { leaseMs, waitMs }, signal)
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
    await this.#engine.cancel(this.#topic, { dedupeKey: id })
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
