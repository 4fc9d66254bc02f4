import { crc32 } from 'node:zlib'
import type { JetStreamClient } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { fault } from '../../errors.ts'
import type { Message, Receipt } from '../../message.ts'
import type { TopicInfo } from '../../queue-engine.ts'
import { deadLetterHeaders } from '../foreign-topic.ts'
import type { NatsLayout } from './nats-layout.ts'
import { toNatsHeaders } from './nats-message.ts'
import type { NatsTopics } from './nats-topics.ts'
import type { DeadMessage } from './nats-work.ts'

/** Messages of one call under way to the server at one time. */
const windowMessages = 256
/** Room for what NATS itself adds to a message's header. */
const spareBytes = 512

export interface NatsPublishParts {
  readonly connection: NatsConnection
  readonly client: JetStreamClient
  readonly layout: NatsLayout
  readonly topics: NatsTopics
}

/** Stores messages for a topic; see QueueEngine.produce. */
export class NatsPublish {
  readonly #parts: NatsPublishParts
  /** Counts messages without a key: they take turns over the partitions. */
  #turn = 0

  constructor(parts: NatsPublishParts) {
    this.#parts = parts
  }

  /** Resolves when the server has acknowledged all. Throws MESSAGE_TOO_LARGE, PARTITION_UNKNOWN. */
  async store(topic: TopicInfo, messages: readonly Message[]): Promise<readonly Receipt[]> {
    const placed = messages.map((message) => ({
      message,
      partition: this.#partitionOf(topic, message),
      headers: toNatsHeaders(message),
    }))
    const bytesMax = (this.#parts.connection.info?.max_payload ?? 1_048_576) - spareBytes
    for (const { message, headers } of placed) {
      const bytes = message.value.length + Buffer.byteLength(headers.toString())
      if (bytes > bytesMax)
        throw fault('MESSAGE_TOO_LARGE', `${bytes} bytes, of the ${bytesMax} that the server takes`)
    }
    const receipts: Receipt[] = []
    for (let at = 0; at < placed.length; at += windowMessages) {
      const some = placed.slice(at, at + windowMessages)
      receipts.push(...(await Promise.all(some.map((one) => this.#publish(topic, one)))))
    }
    return receipts
  }

  /** Stores a dead letter; doing so twice within the dedupe window stores it once. */
  async bury(topic: TopicInfo, { lease, group, reason }: DeadMessage): Promise<void> {
    const { deadLetter } = topic.options
    if (deadLetter === '') return
    const { record, attempt } = lease
    await this.#parts.topics.ensure(deadLetter, { partitions: 1 })
    const headers = {
      ...record.headers,
      ...deadLetterHeaders(topic.name, attempt, reason),
    }
    const message = {
      value: record.value,
      headers,
      ...(record.key === undefined ? {} : { key: record.key }),
    }
    const msgID = `dead ${topic.name} ${record.partition} ${record.offset} ${group}`
    const subject = this.#parts.layout.subject(deadLetter, 0)
    await this.#parts.client.publish(subject, record.value, {
      headers: toNatsHeaders(message),
      msgID: Buffer.from(msgID).toString('base64url'),
    })
  }

  async #publish(topic: TopicInfo, { message, partition, headers }: Placed): Promise<Receipt> {
    const { client, layout, topics } = this.#parts
    const { dedupeKey } = message
    try {
      const { seq, duplicate } = await client.publish(
        layout.subject(topic.name, partition),
        message.value,
        // A key may hold what a header of NATS cannot.
        dedupeKey && topic.options.dedupeMs > 0 ? { headers, msgID: idOf(dedupeKey) } : { headers },
      )
      return { partition, offset: seq - 1, duplicate }
    } catch (error) {
      // Nobody listens to the subject: the topic may be gone, which the next look will tell.
      topics.forget(topic.name)
      await topics.get(topic.name)
      throw error
    }
  }

  #partitionOf({ partitions, name }: TopicInfo, { partition, key, dedupeKey }: Message): number {
    const text = key ?? dedupeKey
    const chosen = partition ?? (text === undefined ? this.#turn++ : crc32(text)) % partitions
    checkPartition({ partitions, name }, chosen)
    return chosen
  }
}

interface Placed {
  readonly message: Message
  readonly partition: number
  readonly headers: ReturnType<typeof toNatsHeaders>
}

/** Throws PARTITION_UNKNOWN. */
export function checkPartition(
  { partitions, name }: Pick<TopicInfo, 'partitions' | 'name'>,
  partition: number,
): void {
  if (!Number.isInteger(partition) || partition < 0 || partition >= partitions)
    throw fault('PARTITION_UNKNOWN', `${name} has no partition ${partition}`)
}

function idOf(dedupeKey: string): string {
  return `key-${Buffer.from(dedupeKey).toString('base64url')}`
}
