import { type Clock, type Log, type Random, withDeadline } from '@drover/kernel'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node'
import { limitDefaults, type QueueLimits, timeDefaults } from '../options.ts'
import type { Feature, QueueEngine } from '../queue-engine.ts'
import { foreign, foreignCalls } from './foreign.ts'
import { createNatsLayout } from './nats/nats-layout.ts'
import { checkPartition, NatsPublish } from './nats/nats-publish.ts'
import { boundsOf, readFrom } from './nats/nats-replay.ts'
import { NatsTopics } from './nats/nats-topics.ts'
import { NatsWork } from './nats/nats-work.ts'
import { createRefusal, refusedCalls } from './refusal.ts'

/** What JetStream (of 2.9) cannot do, or not as the interface says. */
const natsLacks: readonly Feature[] = [
  'groups',
  'idempotent-producer',
  'priority',
  'delay',
  'cancel',
  'peek',
  'limits',
  'limits-per-key',
  'compaction',
]

/** How long stopping waits for what is on its way to the server, in ms. */
const closeMs = 2_000

export interface NatsEngineOptions {
  /** Servers and credentials, as the NATS client takes them. */
  readonly connection: NodeConnectionOptions
  /** Copies of each stream, on as many servers: 1 (default), 3 or 5. */
  readonly replicas?: number
  /** What the names of streams and subjects begin with. Default `drover`. */
  readonly prefix?: string
  readonly limits?: QueueLimits
  /** What a dead process held is handed out again after so long. Default 30 s; shorter asks more. */
  readonly silenceMs?: number
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** What there is while the engine is connected. */
interface Connected {
  readonly connection: NatsConnection
  readonly topics: NatsTopics
  readonly publish: NatsPublish
  readonly work: NatsWork
  readonly replay: Parameters<typeof boundsOf>[0]
}

/**
 * Returns the engine over NATS JetStream with file storage. What it acknowledges is as safe as the
 * servers are told to make it: with several replicas on a majority of them; with one, on its disk
 * only when the server syncs always (its default is every two minutes).
 */
export function createNatsEngine(options: NatsEngineOptions): QueueEngine {
  const { limits = limitDefaults, clock } = options
  const lacks = new Set(natsLacks)
  const refusal = createRefusal('nats', lacks, limits)
  let connected: Connected | undefined
  const on = foreignCalls('NATS', () => connected)

  return {
    name: 'nats',
    lacks,
    ...refusedCalls(refusal, 'join', 'heartbeat', 'leave', 'commit', 'committed', 'cancel', 'peek'),
    async start() {
      connected ??= await foreign('connect', open(options, limits))
    },
    async stop() {
      const open = connected
      connected = undefined
      if (!open) return
      open.work.stop()
      try {
        await withDeadline('closing NATS', closeMs, clock, open.connection.flush())
      } catch {
        // The server is away: it will notice by itself that we have gone.
      }
      await open.connection.close()
    },
    topics: () => on('topics', ({ topics }) => topics.list()),
    createTopic: (topic, wishes = {}) =>
      on('createTopic', async ({ topics }) => {
        refusal.checkTopicOptions(wishes)
        return topics.create(topic, wishes)
      }),
    addPartitions: (topic, count) =>
      on('addPartitions', ({ topics }) => topics.addPartitions(topic, count)),
    deleteTopic: (topic) => on('deleteTopic', ({ topics }) => topics.delete(topic)),
    produce: (topic, messages, how = {}, signal) =>
      on('produce', async ({ topics, publish }) => {
        refusal.checkBatch(messages, how)
        signal?.throwIfAborted()
        return publish.store(await topics.get(topic), messages)
      }),
    fetch: (topic, partition, from, how = {}, signal) =>
      on('fetch', async ({ topics, replay }) => {
        checkPartition(await topics.get(topic), partition)
        return readFrom(replay, { topic, partition }, from, how, signal)
      }),
    bounds: (topic) =>
      on('bounds', async ({ topics, replay }) => {
        const { partitions } = await topics.get(topic)
        return Promise.all(
          Array.from({ length: partitions }, (_, at) => boundsOf(replay, topic, at)),
        )
      }),
    lease: (topic, how = {}, signal) => on('lease', ({ work }) => work.lease(topic, how, signal)),
    extend: (tokens, leaseMs) => on('extend', async ({ work }) => work.extend(tokens, leaseMs)),
    ack: (tokens) => on('ack', ({ work }) => work.ack(tokens)),
    nack: (tokens, how = {}) => on('nack', ({ work }) => work.nack(tokens, how)),
    counts: (topic, group = 'workers') =>
      on('counts', async ({ topics, work }) => work.counts(await topics.get(topic), group)),
    lag: (topic) => on('lag', async ({ topics, work }) => work.lag(await topics.get(topic))),
    purge: (topic) => on('purge', ({ topics }) => topics.purge(topic)),
  }
}

async function open(options: NatsEngineOptions, limits: QueueLimits): Promise<Connected> {
  const { replicas = 1, prefix = 'drover', silenceMs = timeDefaults.leaseMs } = options
  const { clock, random, log } = options
  const connection = await connect({ maxReconnectAttempts: -1, ...options.connection })
  try {
    const manager = await jetstreamManager(connection, { timeout: timeDefaults.requestMs })
    const client = jetstream(connection, { timeout: timeDefaults.requestMs })
    const layout = createNatsLayout(prefix)
    const topics = new NatsTopics({ manager, layout, replicas, topicsMax: limits.topicsMax, clock })
    const publish = new NatsPublish({ connection, client, layout, topics })
    const work = new NatsWork({
      ...{ connection, manager, layout, limits, silenceMs, clock, random, log },
      topicOf: (topic) => topics.get(topic),
      bury: (topic, dead) => publish.bury(topic, dead),
    })
    return { connection, topics, publish, work, replay: { connection, manager, layout, clock } }
  } catch (error) {
    await connection.close()
    throw error
  }
}
