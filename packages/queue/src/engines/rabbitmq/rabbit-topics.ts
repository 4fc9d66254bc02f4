import { type Clock, randomToken } from '@drover/kernel'
import type { Channel } from 'rabbitmq-client'
import { fault } from '../../errors.ts'
import type { Message, Receipt } from '../../message.ts'
import { completeTopicOptions, type QueueLimits } from '../../options.ts'
import type { TopicInfo, TopicOptions } from '../../queue-engine.ts'
import { checkForeignTopic } from '../foreign-topic.ts'
import type { RabbitChannel } from './rabbit-channel.ts'
import { queueArguments, type RabbitLayout } from './rabbit-layout.ts'
import { toRabbitHeaders } from './rabbit-message.ts'
import type { RabbitPublish } from './rabbit-publish.ts'
import type { RabbitRegistry } from './rabbit-registry.ts'

/** Where the defaults of a topic are more than RabbitMQ can do. */
const ownDefaults: TopicOptions = {
  partitions: 1,
  retentionMs: 0,
  retentionBytes: 0,
  backoff: { firstMs: 0, mostMs: 0 },
  dedupeMs: 0,
}

/** When a server removes what an engine that was killed could not. */
const settleExpiresMs = 60_000

/** What the topics of this engine need. */
export interface RabbitTopicsParts {
  readonly calls: RabbitChannel
  readonly layout: RabbitLayout
  readonly publish: RabbitPublish
  readonly registry: RabbitRegistry
  readonly limits: QueueLimits
  readonly clock: Clock
}

/** Topics as exchanges with a quorum queue each. */
export class RabbitTopics {
  readonly #parts: RabbitTopicsParts

  constructor(parts: RabbitTopicsParts) {
    this.#parts = parts
  }

  /** Throws TOPIC_UNKNOWN. */
  get(topic: string): TopicInfo {
    const info = this.#parts.registry.get(topic)
    if (!info) throw fault('TOPIC_UNKNOWN', `no topic ${topic.slice(0, 250)}`)
    return info
  }

  /** The dead-letter topic comes first: the queue names its exchange. */
  async create(topic: string, wishes: TopicOptions): Promise<TopicInfo> {
    const { calls, layout, registry, limits } = this.#parts
    checkForeignTopic(topic)
    if (registry.get(topic)) throw fault('TOPIC_EXISTS', `there is a topic ${topic}`)
    if (registry.list().length >= limits.topicsMax)
      throw fault('TOPICS_TOO_MANY', `${limits.topicsMax} topics are the most`)
    const options = completeTopicOptions(topic, { ...ownDefaults, ...wishes })
    const { deadLetter } = options
    if (deadLetter !== '' && deadLetter !== topic && !registry.get(deadLetter))
      await this.create(deadLetter, { deadLetter: '' })
    const name = layout.name(topic)
    const args = queueArguments(layout, options)
    await calls.use(async (channel) => {
      await channel.exchangeDeclare({ exchange: name, type: 'fanout', durable: true })
      await channel.queueDeclare({ queue: name, durable: true, arguments: args })
      await channel.queueBind({ queue: name, exchange: name })
      await settle(channel, layout.settle(randomToken(9)))
    })
    const info = { name: topic, partitions: 1, options }
    await registry.add(info)
    return info
  }

  /** The list last: what was cut off can be deleted again. */
  async delete(topic: string): Promise<void> {
    const { calls, layout, registry } = this.#parts
    this.get(topic)
    await calls.use(async (channel) => {
      await channel.queueDelete({ queue: layout.name(topic) })
      await channel.exchangeDelete({ exchange: layout.name(topic) })
    })
    await registry.remove(topic)
  }

  async produce(topic: string, messages: readonly Message[]): Promise<readonly Receipt[]> {
    const { layout, publish, clock } = this.#parts
    this.get(topic)
    for (const { partition = 0 } of messages)
      if (partition !== 0) throw fault('PARTITION_UNKNOWN', `there is no partition ${partition}`)
    const nowMs = clock.now()
    await publish.send(
      messages.map((message) => ({
        exchange: layout.name(topic),
        headers: toRabbitHeaders(message, nowMs),
        body: message.value,
      })),
    )
    return messages.map(() => ({ partition: 0, offset: -1, duplicate: false }))
  }

  /** How many messages wait in the topic's queue. */
  async waiting(topic: string): Promise<number> {
    const { calls, layout } = this.#parts
    this.get(topic)
    const queue = layout.name(topic)
    const { messageCount } = await calls.use((channel) =>
      channel.queueDeclare({ queue, passive: true }),
    )
    return messageCount
  }

  /** Removes what waits; what is leased stays with its worker. */
  async purge(topic: string): Promise<number> {
    const { calls, layout } = this.#parts
    this.get(topic)
    const queue = layout.name(topic)
    return (await calls.use((channel) => channel.queuePurge({ queue }))).messageCount
  }
}

/**
 * RabbitMQ 3.10 writes the name of a quorum queue to its disk about a second late, or when it makes the
 * next one. Killed before, it starts again with a queue that elects no leader and answers no call; so
 * one that nobody needs is made and deleted, in about 10 ms.
 */
async function settle(channel: Channel, queue: string): Promise<void> {
  const args = { 'x-queue-type': 'quorum', 'x-expires': settleExpiresMs } as const
  await channel.queueDeclare({ queue, durable: true, arguments: args })
  await channel.queueDelete({ queue })
}
