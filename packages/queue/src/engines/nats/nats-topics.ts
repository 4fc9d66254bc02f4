import type { Clock } from '@drover/kernel'
import {
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream'
import { fault } from '../../errors.ts'
import { completeTopicOptions } from '../../options.ts'
import type { TopicInfo, TopicOptions } from '../../queue-engine.ts'
import { foreign } from '../foreign.ts'
import { checkForeignTopic } from '../foreign-topic.ts'
import { describeTopic, type NatsLayout, parseTopic } from './nats-layout.ts'

/** How long a topic is taken to be as it was: others may change it, too. */
const freshMs = 5_000
/** JetStream's error code for another configuration under this name. */
const nameInUse = 10_058

/** What the topics of this engine need. */
export interface NatsTopicsParts {
  readonly manager: JetStreamManager
  readonly layout: NatsLayout
  /** Copies of each stream: 1, 3 or 5 servers. */
  readonly replicas: number
  readonly topicsMax: number
  readonly clock: Clock
}

/** The topics that JetStream holds, as sets of streams. */
export class NatsTopics {
  readonly #parts: NatsTopicsParts
  readonly #known = new Map<string, { info: TopicInfo; untilMs: number }>()

  constructor(parts: NatsTopicsParts) {
    this.#parts = parts
  }

  async list(): Promise<readonly TopicInfo[]> {
    const { manager, layout } = this.#parts
    const topics: TopicInfo[] = []
    for await (const { config } of manager.streams.list()) {
      const name = layout.topicOf(config.name)
      const info = name === undefined ? undefined : parseTopic(name, config.description)
      if (info) topics.push(info)
    }
    return topics
  }

  /** Throws TOPIC_UNKNOWN. */
  async get(topic: string): Promise<TopicInfo> {
    const known = this.#known.get(topic)
    const nowMs = this.#parts.clock.monotonic()
    if (known && known.untilMs > nowMs) return known.info
    const info = await this.#find(topic)
    if (!info) {
      this.#known.delete(topic)
      throw fault('TOPIC_UNKNOWN', `no topic ${topic.slice(0, 250)}`)
    }
    this.#known.set(topic, { info, untilMs: nowMs + freshMs })
    return info
  }

  /** What was known of a topic turned out wrong. */
  forget(topic: string): void {
    this.#known.delete(topic)
  }

  async create(topic: string, wishes: TopicOptions): Promise<TopicInfo> {
    checkForeignTopic(topic)
    // JetStream sets a stream's bytes aside when it is made, so they are unlimited unless asked for.
    const options = completeTopicOptions(topic, { retentionBytes: 0, ...wishes })
    if (await this.#find(topic)) throw fault('TOPIC_EXISTS', `there is a topic ${topic}`)
    if ((await this.list()).length >= this.#parts.topicsMax)
      throw fault('TOPICS_TOO_MANY', `${this.#parts.topicsMax} topics are the most`)
    for (let partition = options.partitions - 1; partition >= 0; partition--)
      await this.#addStream(topic, partition, options)
    return this.get(topic)
  }

  /** Makes the topic unless it is there. */
  async ensure(topic: string, wishes: TopicOptions): Promise<void> {
    try {
      await this.create(topic, wishes)
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'TOPIC_EXISTS') throw error
    }
  }

  async addPartitions(topic: string, count: number): Promise<number> {
    const { partitions, options } = await this.get(topic)
    const wanted = completeTopicOptions(topic, { ...options, partitions: partitions + count })
    for (let partition = partitions; partition < wanted.partitions; partition++)
      await this.#addStream(topic, partition, wanted)
    const { manager, layout } = this.#parts
    const description = describeTopic(wanted.partitions, wanted)
    await manager.streams.update(layout.stream(topic, 0), { description })
    this.forget(topic)
    return wanted.partitions
  }

  async delete(topic: string): Promise<void> {
    const { partitions } = await this.get(topic)
    this.forget(topic)
    for (let partition = partitions - 1; partition >= 0; partition--)
      await this.#deleteStream(topic, partition)
  }

  /** Removes all messages; resolves to how many. */
  async purge(topic: string): Promise<number> {
    const { manager, layout } = this.#parts
    const { partitions } = await this.get(topic)
    let purged = 0
    for (let partition = 0; partition < partitions; partition++)
      purged += (await manager.streams.purge(layout.stream(topic, partition))).purged
    return purged
  }

  async #find(topic: string): Promise<TopicInfo | undefined> {
    const { manager, layout } = this.#parts
    try {
      const { config } = await manager.streams.info(layout.stream(topic, 0))
      return parseTopic(topic, config.description)
    } catch (error) {
      if (isApiError(error, JetStreamApiCodes.StreamNotFound)) return undefined
      throw error
    }
  }

  async #addStream(
    topic: string,
    partition: number,
    options: Required<TopicOptions>,
  ): Promise<void> {
    // One that is there was left by a deletion or creation that was cut off.
    if (partition > 0) await this.#deleteStream(topic, partition)
    try {
      await this.#parts.manager.streams.add(this.#configOf(topic, partition, options))
    } catch (cause) {
      if (isApiError(cause, nameInUse))
        throw fault('TOPIC_EXISTS', `there is a topic ${topic}`, { cause })
      throw cause
    }
  }

  #configOf(
    topic: string,
    partition: number,
    options: Required<TopicOptions>,
  ): Partial<StreamConfig> & { name: string } {
    const { layout, replicas } = this.#parts
    const { partitions, retentionMs, retentionBytes, dedupeMs } = options
    const windowMs = retentionMs > 0 ? Math.min(dedupeMs, retentionMs) : dedupeMs
    return {
      name: layout.stream(topic, partition),
      subjects: [layout.subject(topic, partition)],
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      discard: DiscardPolicy.Old,
      num_replicas: replicas,
      max_age: retentionMs * 1_000_000,
      max_bytes: retentionBytes > 0 ? retentionBytes : -1,
      duplicate_window: Math.max(100, windowMs) * 1_000_000,
      ...(partition === 0 ? { description: describeTopic(partitions, options) } : {}),
    }
  }

  async #deleteStream(topic: string, partition: number): Promise<void> {
    const { manager, layout } = this.#parts
    try {
      await foreign('delete', manager.streams.delete(layout.stream(topic, partition)))
    } catch (error) {
      if (!isApiError((error as Error).cause, JetStreamApiCodes.StreamNotFound)) throw error
    }
  }
}

/** Holds when the server said `code`. */
export function isApiError(error: unknown, code: number): boolean {
  return error instanceof JetStreamApiError && error.code === code
}
