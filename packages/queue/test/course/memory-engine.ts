import { fault } from '../../src/errors.ts'
import type { QueueRecord } from '../../src/message.ts'
import { completeTopicOptions } from '../../src/options.ts'
import type {
  BrokerAdmin,
  FetchOptions,
  Position,
  QueueEngine,
  TopicInfo,
} from '../../src/queue-engine.ts'

/** What of an engine the course's managers use, with their brokers, in memory. */
export interface MemoryQueue {
  readonly engine: QueueEngine
  readonly brokers: BrokerAdmin
  /** Every message of a partition, as text. */
  stored(topic: string, partition: number): string[]
}

/** Returns an empty queue of the brokers `names`. Partitions go to them in turn. */
export function createMemoryQueue(...names: readonly string[]): MemoryQueue {
  const brokers = new Set(names)
  const topics = new Map<string, { info: TopicInfo; logs: QueueRecord[][]; owners: string[] }>()
  const topicOf = (name: string) => {
    const topic = topics.get(name)
    if (!topic) throw fault('TOPIC_UNKNOWN', `no topic ${name}`)
    return topic
  }
  const logOf = (name: string, partition: number) => {
    const log = topicOf(name).logs[partition]
    if (!log) throw fault('PARTITION_UNKNOWN', `no partition ${partition} of ${name}`)
    return log
  }
  const owner = (index: number) => [...brokers][index % brokers.size] ?? ''
  const known = (name: string) => {
    if (!brokers.has(name)) throw fault('BROKER_UNKNOWN', `${name} does not exist`)
  }
  const grow = (name: string, count: number) => {
    const { logs, owners, info } = topicOf(name)
    for (let added = 0; added < count; added++) {
      owners.push(owner(logs.length))
      logs.push([])
    }
    topics.set(name, { info: { ...info, partitions: logs.length }, logs, owners })
    return logs.length
  }
  const engine = {
    name: 'embedded' as const,
    lacks: new Set(),
    start: async () => {},
    stop: async () => {},
    topics: async () => [...topics.values()].map(({ info }) => info),
    async createTopic(name: string, wishes: { partitions?: number } = {}) {
      if (topics.has(name)) throw fault('TOPIC_EXISTS', name)
      const options = completeTopicOptions(name, wishes)
      topics.set(name, { info: { name, partitions: 0, options }, logs: [], owners: [] })
      grow(name, options.partitions)
      return topicOf(name).info
    },
    addPartitions: async (name: string, count: number) => grow(name, count),
    async deleteTopic(name: string) {
      topicOf(name)
      topics.delete(name)
    },
    async produce(name: string, messages: Parameters<QueueEngine['produce']>[1]) {
      return messages.map(({ value, partition = 0 }) => {
        if (value.length > 1_048_576) throw fault('MESSAGE_TOO_LARGE', `${value.length} bytes`)
        const log = logOf(name, partition)
        const offset = log.length
        const none = { key: undefined, headers: {}, priority: 0, dueMs: 0, dedupeKey: undefined }
        log.push({ topic: name, partition, offset, timeMs: 0, value, ...none })
        return { partition, offset, duplicate: false }
      })
    },
    async fetch(name: string, partition: number, from: Position, options: FetchOptions = {}) {
      const log = logOf(name, partition)
      const offset = typeof from === 'object' && 'offset' in from ? from.offset : 0
      if (offset > log.length) throw fault('OFFSET_OUT_OF_RANGE', `${offset} of ${log.length}`)
      const records = log.slice(offset, offset + (options.messagesMax ?? 1_000))
      return { records, nextOffset: offset + records.length, endOffset: log.length }
    },
    bounds: async (name: string) =>
      topicOf(name).logs.map((log, partition) => ({
        partition,
        firstOffset: 0,
        endOffset: log.length,
        bytes: 0,
      })),
  }
  return {
    engine: engine as unknown as QueueEngine,
    brokers: {
      brokers: async () =>
        [...brokers].map((name) => ({ name, state: 'up', address: '', partitions: 0 })),
      async addBroker(name) {
        if (brokers.has(name)) throw fault('BROKER_EXISTS', name)
        brokers.add(name)
      },
      async removeBroker(name) {
        known(name)
        if (brokers.size === 1 && topics.size > 0) throw fault('LAST_BROKER', 'topics remain')
        brokers.delete(name)
        for (const { owners } of topics.values())
          for (const [index, one] of owners.entries())
            if (one === name) owners[index] = owner(index)
      },
      testBroker: async (name) => known(name),
      placement: async () => new Map([...topics].map(([name, { owners }]) => [name, owners])),
    },
    stored: (name, partition) =>
      logOf(name, partition).map(({ value }) => new TextDecoder().decode(value)),
  }
}
