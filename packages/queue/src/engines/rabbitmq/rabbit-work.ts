import { type Clock, describeError, type Log } from '@drover/kernel'
import type { Channel, Connection } from 'rabbitmq-client'
import { fault } from '../../errors.ts'
import { checkLeaseMs, type QueueLimits, timeDefaults } from '../../options.ts'
import type {
  Lease,
  LeaseOptions,
  NackOptions,
  TokenOutcome,
  TopicInfo,
} from '../../queue-engine.ts'
import { deadLetterHeaders } from '../foreign-topic.ts'
import { type HeldLease, HeldLeases } from '../held-leases.ts'
import { completeLeaseOptions } from '../refusal.ts'
import type { RabbitLayout } from './rabbit-layout.ts'
import { attemptOf, toRabbitHeaders, toRecord } from './rabbit-message.ts'
import { RabbitPool } from './rabbit-pool.ts'
import type { RabbitPublish } from './rabbit-publish.ts'
import { type Taken, takeMessages } from './rabbit-take.ts'

/** What handing out work needs. */
export interface RabbitWorkParts {
  readonly connection: Connection
  readonly layout: RabbitLayout
  readonly publish: RabbitPublish
  readonly limits: QueueLimits
  /** The server closes a channel on which a message was held for longer than its consumer_timeout. */
  readonly holdMsMax: number
  readonly clock: Clock
  readonly log: Log
  topicOf(topic: string): TopicInfo
}

interface Delivery {
  readonly channel: Channel
  readonly deliveryTag: number
  readonly record: Lease['record']
  readonly topic: TopicInfo
  /** Monotonic. */
  readonly sinceMs: number
}

/**
 * Work over quorum queues. RabbitMQ has no leases: a message is held as long as its channel lives, so
 * deadlines are kept here.
 */
export class RabbitWork {
  readonly #parts: RabbitWorkParts
  readonly #held: HeldLeases<Delivery>
  readonly #pool: RabbitPool

  constructor(parts: RabbitWorkParts) {
    this.#parts = parts
    this.#held = new HeldLeases(parts.clock, (lease) => this.#giveBack(lease))
    this.#pool = new RabbitPool(parts.connection, parts.clock, (closed) =>
      this.#held.drop(({ delivery }) => delivery.channel === closed),
    )
  }

  /** What is held goes back to its queue with its channel. */
  async stop(): Promise<void> {
    this.#held.drop(() => true)
    await this.#pool.close()
  }

  held(topic: string): number {
    return this.#held.count(topic, 'workers')
  }

  async lease(
    name: string,
    options: LeaseOptions,
    signal?: AbortSignal,
  ): Promise<readonly Lease[]> {
    const { clock, layout, limits, holdMsMax } = this.#parts
    const { count, leaseMs, waitMs } = completeLeaseOptions(options, limits)
    checkLeaseMs(leaseMs, holdMsMax)
    const topic = this.#parts.topicOf(name)
    signal?.throwIfAborted()
    return this.#pool.use(waitMs + timeDefaults.requestMs, async (channel) => {
      const queue = layout.name(name)
      const messages = await takeMessages(channel, { queue, count, waitMs }, clock, signal)
      return messages.map((message) => this.#take(topic, channel, message, leaseMs))
    })
  }

  async extend(tokens: readonly string[], leaseMs: number): Promise<readonly TokenOutcome[]> {
    const { clock, holdMsMax } = this.#parts
    checkLeaseMs(leaseMs, holdMsMax)
    const tooLong = this.#held
      .values()
      .find(
        ({ token, delivery }) =>
          tokens.includes(token) && clock.monotonic() - delivery.sinceMs + leaseMs > holdMsMax,
      )
    if (tooLong)
      throw fault('OPTION_INVALID', `a message is held for ${holdMsMax} ms at the most here`)
    return tokens.map((token) => outcomeOf(token, this.#held.extend(token, leaseMs)))
  }

  async ack(tokens: readonly string[]): Promise<readonly TokenOutcome[]> {
    const leases = tokens.map((token) => ({ token, lease: this.#held.take(token) }))
    for (const { lease } of leases) if (lease) settle(lease.delivery, 'ack')
    return this.#outcomes(leases)
  }

  async nack(tokens: readonly string[], options: NackOptions): Promise<readonly TokenOutcome[]> {
    const leases = tokens.map((token) => ({ token, lease: this.#held.take(token) }))
    for (const { lease } of leases) if (lease) await this.#end(lease, options)
    return this.#outcomes(leases)
  }

  #take(topic: TopicInfo, channel: Channel, message: Taken, leaseMs: number): Lease {
    const record = toRecord(topic.name, message)
    const attempt = attemptOf(message)
    const sinceMs = this.#parts.clock.monotonic()
    const { deliveryTag } = message
    const delivery = { channel, deliveryTag, record, topic, sinceMs }
    const held = { topic: topic.name, group: 'workers', attempt, delivery }
    const { token, deadlineMs } = this.#held.give(held, leaseMs)
    return { token, record, attempt, deadlineMs }
  }

  /**
   * Gives a message back to its queue, which counts. After the last attempt it is a dead letter: with
   * a reason we send it, since RabbitMQ could not note the reason, else RabbitMQ does.
   */
  async #end(
    { delivery, attempt }: HeldLease<Delivery>,
    { dead = false, reason }: NackOptions,
  ): Promise<void> {
    const { attemptsMax } = delivery.topic.options
    if (!dead && attempt < attemptsMax) return settle(delivery, 'back')
    if (reason !== undefined) await this.#bury(delivery, attempt, reason)
    settle(delivery, reason === undefined ? 'dead' : 'ack')
  }

  async #bury({ topic, record }: Delivery, attempt: number, reason: string): Promise<void> {
    const { deadLetter } = topic.options
    if (deadLetter === '') return
    const headers = { ...record.headers, ...deadLetterHeaders(topic.name, attempt, reason) }
    const key = record.key === undefined ? {} : { key: record.key }
    await this.#parts.publish.send([
      {
        exchange: this.#parts.layout.name(deadLetter),
        headers: toRabbitHeaders({ ...key, headers }, record.timeMs),
        body: record.value,
      },
    ])
  }

  #giveBack(lease: HeldLease<Delivery>): void {
    this.#end(lease, {}).catch((cause: unknown) => {
      // It goes back with the channel, at the latest.
      this.#parts.log.warn({ cause: describeError(cause) }, 'a message could not be handed back')
    })
  }

  /** Acks have no answer: one call more on their channel tells that they have come through. */
  async #outcomes(
    leases: readonly { token: string; lease: HeldLease<Delivery> | undefined }[],
  ): Promise<readonly TokenOutcome[]> {
    const channels = new Set(leases.flatMap(({ lease }) => lease?.delivery.channel ?? []))
    const through = new Set<Channel>()
    for (const channel of channels)
      try {
        // A call without effect here; one that sets what the next consumer of it gets would have one.
        await this.#pool.answered(channel, channel.confirmSelect())
        through.add(channel)
      } catch {
        // The channel is lost, and what it held is in its queue again.
      }
    return leases.map(({ token, lease }) =>
      outcomeOf(token, lease !== undefined && through.has(lease.delivery.channel)),
    )
  }
}

function outcomeOf(token: string, done: boolean): TokenOutcome {
  return { token, outcome: done ? 'done' : 'late' }
}

/** Tells the queue what becomes of a message; on a lost channel it has gone back already. */
function settle({ channel, deliveryTag }: Delivery, how: 'ack' | 'back' | 'dead'): void {
  if (!channel.active) return
  if (how === 'ack') channel.basicAck({ deliveryTag })
  else channel.basicNack({ deliveryTag, requeue: how === 'back' })
}
