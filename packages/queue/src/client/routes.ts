import { backoffMs, type Clock, Fault, type Random } from '@drover/kernel'
import { fault } from '../errors.ts'
import type { Metadata } from '../manager/manager.ts'
import type { KeptTopic } from '../manager/manager-state.ts'
import type { CallOptions, Link, Reply } from '../wire/link.ts'

/** How a client reaches the queue. */
export interface RoutesOptions {
  readonly manager: Link
  /** Makes the link to a broker; called once for each name and address. */
  readonly connect: (name: string, address: string) => Link
  readonly clock: Clock
  readonly random: Random
  /** How long a call is repeated while its faults say that this may help. */
  readonly patienceMs: number
}

/** One partition as the client last heard of it. */
export interface Route {
  readonly id: number
  readonly topic: string
  readonly index: number
  readonly epoch: number
  readonly broker: string
}

const repeatWait = { firstMs: 10, mostMs: 1_000 }

/** Finds the broker of each partition, and repeats calls by the `retry` column of their faults. */
export class Routes {
  readonly using: RoutesOptions
  #metadata: Metadata = { version: -1, topics: [], brokers: {} }
  #byId = new Map<number, Route>()
  #byTopic = new Map<string, readonly Route[]>()
  #refreshing: Promise<void> | undefined
  readonly #links = new Map<string, { readonly address: string; readonly link: Link }>()
  #closed = false

  constructor(using: RoutesOptions) {
    this.using = using
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const { link } of this.#links.values()) await link.close()
    await this.using.manager.close()
  }

  /** Asks the manager; those who ask at the same time share one answer. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#ask().finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  async #ask(): Promise<void> {
    const { result } = await this.using.manager.call('metadata', {})
    this.#metadata = result as Metadata
    this.#byId = new Map()
    this.#byTopic = new Map()
    for (const { name, partitions } of this.#metadata.topics) {
      const routes = partitions.map((one, index) => ({ ...one, topic: name, index }))
      this.#byTopic.set(name, routes)
      for (const route of routes) this.#byId.set(route.id, route)
    }
  }

  async topics(): Promise<readonly KeptTopic[]> {
    await this.refresh()
    return this.#metadata.topics
  }

  /** The partitions of a topic in their order. Throws TOPIC_UNKNOWN. */
  async partitions(topic: string): Promise<readonly Route[]> {
    const known = this.#byTopic.get(topic)
    if (known) return known
    await this.refresh()
    const found = this.#byTopic.get(topic)
    if (!found) throw fault('TOPIC_UNKNOWN', `no topic is called "${topic.slice(0, 250)}"`)
    return found
  }

  /** Throws TOPIC_UNKNOWN and PARTITION_UNKNOWN. */
  async partition(topic: string, index: number): Promise<Route> {
    const find = (routes: readonly Route[]) => routes[index]
    let route = find(await this.partitions(topic))
    if (!route) {
      await this.refresh()
      route = find(await this.partitions(topic))
    }
    if (!route) throw fault('PARTITION_UNKNOWN', `topic ${topic} has no partition ${index}`)
    return route
  }

  /** The partition with this number, wherever it is. Throws TOKEN_INVALID: only tokens name numbers. */
  async byId(id: number): Promise<Route> {
    if (!this.#byId.has(id)) await this.refresh()
    const route = this.#byId.get(id)
    if (!route) throw fault('TOKEN_INVALID', `no partition has the number ${id}`)
    return route
  }

  manager(method: string, params: object): Promise<unknown> {
    return this.repeat(async () => (await this.using.manager.call(method, params)).result)
  }

  /** Calls the broker of that name, as it is now; its faults are the caller's. Never throws at once. */
  async broker(
    name: string,
    method: string,
    params: object,
    parts?: readonly Buffer[],
    options?: CallOptions,
  ): Promise<Reply> {
    return this.#link(name).call(method, params, parts, options)
  }

  /** Calls the broker of a partition; asks again where it is, and repeats, as faults allow. */
  async callPartition(
    topic: string,
    index: number,
    method: string,
    params: object,
    options?: CallOptions,
  ): Promise<Reply> {
    return this.repeat(async () => {
      const { id, broker } = await this.partition(topic, index)
      return this.broker(broker, method, { id, ...params }, [], options)
    }, options?.signal)
  }

  /** Does `call` until it succeeds, its fault says never, or the patience is over. */
  async repeat<Result>(call: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    const { clock, random, patienceMs } = this.using
    const endsAt = clock.monotonic() + patienceMs
    for (let attempt = 0; ; attempt++) {
      try {
        return await call()
      } catch (error) {
        if (this.#closed || !mayRepeat(error) || clock.monotonic() >= endsAt) throw error
        await clock.sleep(1 + backoffMs(attempt, repeatWait, random), signal)
        await this.refresh().catch(() => {
          // The manager may be away for a moment as well; the call itself will tell.
        })
      }
    }
  }

  #link(name: string): Link {
    const address = this.#metadata.brokers[name]
    if (address === undefined) throw fault('BROKER_UNREACHABLE', `broker ${name} is down`)
    const known = this.#links.get(name)
    if (known?.address === address) return known.link
    void known?.link.close()
    const link = this.using.connect(name, address)
    this.#links.set(name, { address, link })
    return link
  }
}

/** A full disk does not empty itself in seconds: its fault goes to the caller at once. */
export function mayRepeat(error: unknown): boolean {
  return error instanceof Fault && error.retry !== 'never' && error.code !== 'DISK_FULL'
}
