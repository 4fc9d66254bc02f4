import { type Clock, describeError, type Log, withDeadline } from '@drover/kernel'
import { Connection, type ConnectionOptions } from 'rabbitmq-client'
import { limitDefaults, type QueueLimits, timeDefaults } from '../options.ts'
import type { Feature, QueueEngine } from '../queue-engine.ts'
import { foreign, foreignCalls } from './foreign.ts'
import { RabbitChannel } from './rabbitmq/rabbit-channel.ts'
import { createRabbitLayout, type RabbitLayout } from './rabbitmq/rabbit-layout.ts'
import { RabbitPublish } from './rabbitmq/rabbit-publish.ts'
import { RabbitRegistry } from './rabbitmq/rabbit-registry.ts'
import { RabbitTopics } from './rabbitmq/rabbit-topics.ts'
import { RabbitWork } from './rabbitmq/rabbit-work.ts'
import { createRefusal, refusedCalls } from './refusal.ts'

/** What quorum queues (of 3.10) cannot do, or not as the interface says. */
const rabbitLacks: readonly Feature[] = [
  'replay',
  'replay-by-time',
  'groups',
  'work-groups',
  'offsets',
  'partitions',
  'idempotent-producer',
  'priority',
  'delay',
  'dedupe',
  'nack-delay',
  'cancel',
  'peek',
  'limits',
  'limits-per-key',
  'retention',
  'compaction',
]
/** Below the server's consumer_timeout of 30 minutes, in ms. */
const holdMsDefault = 1_500_000

export interface RabbitEngineOptions {
  /** Servers and credentials, as the RabbitMQ client takes them. */
  readonly connection: ConnectionOptions
  /** What the names of exchanges and queues begin with. Default `drover`. */
  readonly prefix?: string
  /** How long a message can be leased, extensions included; must be under consumer_timeout. Default 25 min. */
  readonly holdMsMax?: number
  readonly limits?: QueueLimits
  readonly clock: Clock
  readonly log: Log
}

/** What there is while the engine is connected. */
interface Connected {
  readonly connection: Connection
  readonly publish: RabbitPublish
  readonly calls: RabbitChannel
  readonly registry: RabbitRegistry
  readonly topics: RabbitTopics
  readonly work: RabbitWork
}

/**
 * Returns the engine over RabbitMQ: quorum queues, publisher confirms, dead letters by its own
 * dead-letter exchanges. What it acknowledges is on the disks of a majority of the queue's servers.
 */
export function createRabbitEngine(options: RabbitEngineOptions): QueueEngine {
  const { limits = limitDefaults, prefix = 'drover' } = options
  const lacks = new Set(rabbitLacks)
  const refusal = createRefusal('rabbitmq', lacks, limits)
  const layout = createRabbitLayout(prefix)
  let connected: Connected | undefined
  const on = foreignCalls('RabbitMQ', () => connected)

  return {
    name: 'rabbitmq',
    lacks,
    ...refusedCalls(refusal, 'addPartitions', 'fetch', 'bounds', 'cancel', 'peek'),
    ...refusedCalls(refusal, 'join', 'heartbeat', 'leave', 'commit', 'committed'),
    async start() {
      connected ??= await foreign('connect', open(options, layout, limits))
    },
    async stop() {
      const open = connected
      connected = undefined
      if (open) await close(open, options.clock)
    },
    topics: () => on('topics', async ({ registry }) => registry.list()),
    createTopic: (topic, wishes = {}) =>
      on('createTopic', async ({ topics }) => {
        refusal.checkTopicOptions(wishes)
        return topics.create(topic, wishes)
      }),
    deleteTopic: (topic) => on('deleteTopic', ({ topics }) => topics.delete(topic)),
    produce: (topic, messages, how = {}, signal) =>
      on('produce', async ({ topics }) => {
        refusal.checkBatch(messages, how)
        signal?.throwIfAborted()
        return topics.produce(topic, messages)
      }),
    lease: (topic, how = {}, signal) =>
      on('lease', async ({ work }) => {
        if (how.group !== undefined && how.group !== 'workers') refusal.needs('work-groups')
        return work.lease(topic, how, signal)
      }),
    extend: (tokens, leaseMs) => on('extend', ({ work }) => work.extend(tokens, leaseMs)),
    ack: (tokens) => on('ack', ({ work }) => work.ack(tokens)),
    nack: (tokens, how = {}) =>
      on('nack', async ({ work }) => {
        if (how.delayMs !== undefined && how.delayMs > 0) refusal.needs('nack-delay')
        return work.nack(tokens, how)
      }),
    counts: (topic, group = 'workers') =>
      on('counts', async ({ topics, work }) => {
        if (group !== 'workers') refusal.needs('work-groups')
        return { ready: await topics.waiting(topic), leased: work.held(topic), delayed: 0 }
      }),
    lag: (topic) =>
      on('lag', async ({ topics, work }) => {
        const lag = (await topics.waiting(topic)) + work.held(topic)
        return [{ group: 'workers', kind: 'work', partition: 0, offset: -1, lag, members: -1 }]
      }),
    purge: (topic) => on('purge', ({ topics }) => topics.purge(topic)),
  }
}

async function open(
  { connection: where, clock, log, holdMsMax = holdMsDefault }: RabbitEngineOptions,
  layout: RabbitLayout,
  limits: QueueLimits,
): Promise<Connected> {
  const connection = new Connection({
    acquireTimeout: timeDefaults.requestMs,
    retryHigh: 2_000,
    ...where,
  })
  connection.on('error', (cause) => log.warn({ cause: describeError(cause) }, 'RabbitMQ'))
  try {
    await connection.onConnect(timeDefaults.requestMs)
    const publish = new RabbitPublish(connection, clock)
    const calls = new RabbitChannel(connection, clock)
    const stream = layout.registry
    const registry = new RabbitRegistry({ connection, calls, stream, publish, clock, log })
    const topics = new RabbitTopics({ calls, layout, publish, registry, limits, clock })
    const topicOf = (topic: string) => topics.get(topic)
    const parts = { connection, layout, publish, limits, holdMsMax, clock, log, topicOf }
    await registry.start()
    return { connection, publish, calls, registry, topics, work: new RabbitWork(parts) }
  } catch (error) {
    connection.unsafeDestroy()
    throw error
  }
}

/**
 * Ends what listens first. A server that is away is left after a while: what waits for its answers may
 * wait for ever, even when the connection is cut.
 */
async function close(
  { connection, publish, calls, registry, work }: Connected,
  clock: Clock,
): Promise<void> {
  const parts = Promise.allSettled([work.stop(), registry.stop(), publish.close(), calls.close()])
  try {
    const closed = parts.then(() => connection.close())
    await withDeadline('RabbitMQ', timeDefaults.requestMs, clock, closed)
  } catch {
    // The server notices that we have gone.
    connection.unsafeDestroy()
  }
}
