import type { Clock, Log, Random } from '@drover/kernel'
import {
  AckPolicy,
  type ConsumerInfo,
  DeliverPolicy,
  JetStreamApiCodes,
  type JetStreamManager,
} from '@nats-io/jetstream'
import type { Msg, NatsConnection } from '@nats-io/transport-node'
import { checkLeaseMs, checkName, type QueueLimits, timeDefaults } from '../../options.ts'
import type {
  GroupLag,
  Lease,
  LeaseOptions,
  NackOptions,
  TokenOutcome,
  TopicInfo,
  WorkCounts,
} from '../../queue-engine.ts'
import { backoffDelayMs } from '../backoff-delay.ts'
import { type HeldLease, HeldLeases } from '../held-leases.ts'
import { completeLeaseOptions } from '../refusal.ts'
import type { NatsLayout } from './nats-layout.ts'
import { parseDelivery, toRecord } from './nats-message.ts'
import { ConsumerGone, pull } from './nats-pull.ts'
import { isApiError } from './nats-topics.ts'

/** The longest single wait at the server, so that a call that was given up is soon forgotten. */
const pullMsMax = 1_000
/** How often several partitions are looked through while all are empty. */
const [lookMsFirst, lookMsMost] = [10, 100]

/** What handing out work needs. */
export interface NatsWorkParts {
  readonly connection: NatsConnection
  readonly manager: JetStreamManager
  readonly layout: NatsLayout
  readonly limits: QueueLimits
  /** The server hands a message out again when it has not heard of it for so long: a dead process. */
  readonly silenceMs: number
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  topicOf(topic: string): Promise<TopicInfo>
  /** Stores a message that nobody could work off, and resolves when it is stored. */
  bury(topic: TopicInfo, dead: DeadMessage): Promise<void>
}

/** A message on its way to the dead-letter topic. */
export interface DeadMessage {
  readonly lease: Pick<Lease, 'record' | 'attempt'>
  readonly group: string
  readonly reason: string | undefined
}

interface Delivery {
  readonly message: Msg
  readonly lease: Pick<Lease, 'record' | 'attempt'>
  readonly topic: TopicInfo
  /** When the server last heard that it is being worked on; monotonic. */
  heardMs: number
}

/**
 * Work over durable pull consumers. The server has one deadline for all, so each lease's own is kept
 * here: until it passes the server hears three times in `silenceMs` that the message is held, and when
 * it passes the message is handed back. When this process dies the server hands out again after that.
 */
export class NatsWork {
  readonly #parts: NatsWorkParts
  readonly #held: HeldLeases<Delivery>
  readonly #ensured = new Set<string>()
  readonly #stopHearing: () => void
  /** Where the next lease call begins to look, so that no partition starves. */
  #firstPartition = 0

  constructor(parts: NatsWorkParts) {
    this.#parts = parts
    this.#held = new HeldLeases(parts.clock, (lease) => this.#giveBack(lease, {}))
    this.#stopHearing = parts.clock.every(parts.silenceMs / 3, () => this.#beHeard())
  }

  /** Hands back what is held, for others to take at once. */
  stop(): void {
    this.#stopHearing()
    for (const { delivery } of this.#held.values()) delivery.message.respond('-NAK')
    this.#held.drop(() => true)
  }

  async lease(
    topic: string,
    options: LeaseOptions,
    signal?: AbortSignal,
  ): Promise<readonly Lease[]> {
    const { clock, limits } = this.#parts
    const { group, count, leaseMs, waitMs } = completeLeaseOptions(options, limits)
    checkName('group', group)
    checkLeaseMs(leaseMs)
    const endsMs = clock.monotonic() + waitMs
    for (let lookMs = lookMsFirst; ; lookMs = Math.min(lookMsMost, lookMs * 2)) {
      signal?.throwIfAborted()
      const info = await this.#parts.topicOf(topic)
      const leftMs = endsMs - clock.monotonic()
      const pullMs = info.partitions === 1 ? Math.max(0, Math.min(pullMsMax, leftMs)) : 0
      const leases = await this.#look(info, { group, count, leaseMs, pullMs }, signal)
      if (leases.length > 0 || leftMs <= 0) return leases
      if (pullMs === 0) await clock.sleep(Math.min(lookMs, leftMs), signal)
    }
  }

  extend(tokens: readonly string[], leaseMs: number): Promise<readonly TokenOutcome[]> {
    checkLeaseMs(leaseMs)
    return this.#each(tokens, async (token) => this.#held.extend(token, leaseMs))
  }

  ack(tokens: readonly string[]): Promise<readonly TokenOutcome[]> {
    return this.#each(tokens, async (token) => {
      const lease = this.#held.take(token)
      if (!lease || this.#wasSilent(lease.delivery)) return false
      await this.#tell(lease.delivery, '+ACK')
      return true
    })
  }

  nack(tokens: readonly string[], options: NackOptions): Promise<readonly TokenOutcome[]> {
    return this.#each(tokens, async (token) => {
      const lease = this.#held.take(token)
      if (!lease || this.#wasSilent(lease.delivery)) return false
      await this.#end(lease, options)
      return true
    })
  }

  async counts(info: TopicInfo, group: string): Promise<WorkCounts> {
    let [ready, leased] = [0, 0]
    for (let partition = 0; partition < info.partitions; partition++) {
      const found = await this.#countsOf(this.#parts.layout.stream(info.name, partition), group)
      ready += found.ready
      leased += found.leased
    }
    return { ready, leased, delayed: 0 }
  }

  /** A group that never took anything has no consumer, and everything before it. */
  async #countsOf(stream: string, group: string) {
    const { manager, layout } = this.#parts
    try {
      const found = await manager.consumers.info(stream, layout.consumer(group))
      return { ready: found.num_pending, leased: found.num_ack_pending }
    } catch (error) {
      if (!isApiError(error, JetStreamApiCodes.ConsumerNotFound)) throw error
      return { ready: (await manager.streams.info(stream)).state.messages, leased: 0 }
    }
  }

  async lag(info: TopicInfo): Promise<readonly GroupLag[]> {
    const { manager, layout } = this.#parts
    const lags: GroupLag[] = []
    for (let partition = 0; partition < info.partitions; partition++) {
      const consumers = manager.consumers.list(layout.stream(info.name, partition))
      for await (const found of consumers) {
        const group = found.config.durable_name ? layout.groupOf(found.name) : undefined
        if (group !== undefined) lags.push(lagOf(found, group, partition))
      }
    }
    return lags
  }

  /** Looks through all partitions once. */
  async #look(
    info: TopicInfo,
    wanted: { group: string; count: number; leaseMs: number; pullMs: number },
    signal?: AbortSignal,
  ): Promise<readonly Lease[]> {
    const leases: Lease[] = []
    const first = this.#firstPartition++
    for (let turn = 0; turn < info.partitions && leases.length < wanted.count; turn++) {
      const partition = (first + turn) % info.partitions
      const batch = wanted.count - leases.length
      const waitMs = wanted.pullMs
      const messages = await this.#pull(
        info,
        partition,
        { group: wanted.group, batch, waitMs },
        signal,
      )
      for (const message of messages) {
        const lease = await this.#take(info, partition, wanted, message)
        if (lease) leases.push(lease)
      }
    }
    return leases
  }

  async #pull(
    info: TopicInfo,
    partition: number,
    { group, batch, waitMs }: { group: string; batch: number; waitMs: number },
    signal?: AbortSignal,
  ): Promise<readonly Msg[]> {
    const { connection, clock, layout } = this.#parts
    const stream = await this.#ensure(info, partition, group)
    const consumer = layout.consumer(group)
    try {
      return await pull(connection, clock, { stream, consumer, batch, waitMs }, signal)
    } catch (error) {
      if (!(error instanceof ConsumerGone)) throw error
      this.#ensured.delete(`${stream} ${consumer}`)
      return []
    }
  }

  /** Makes a lease of a delivered message; one that was handed out too often is buried. */
  async #take(
    topic: TopicInfo,
    partition: number,
    { group, leaseMs }: { group: string; leaseMs: number },
    message: Msg,
  ): Promise<Lease | undefined> {
    const { attempt = 1, sequence = 1, timeMs = 0 } = parseDelivery(message.reply ?? '') ?? {}
    const at = { topic: topic.name, partition, offset: sequence - 1, timeMs }
    const lease = { record: toRecord(at, message.data, message.headers), attempt }
    const heardMs = this.#parts.clock.monotonic()
    const delivery = { message, lease, topic, heardMs }
    if (attempt > topic.options.attemptsMax) {
      await this.#bury({ topic: topic.name, group, attempt, delivery }, 'its last lease ended')
      return undefined
    }
    const held = this.#held.give({ topic: topic.name, group, attempt, delivery }, leaseMs)
    return { ...lease, token: held.token, deadlineMs: held.deadlineMs }
  }

  /** Lets a message be handed out again, or buries it after its last attempt. */
  async #end(
    lease: Omit<HeldLease<Delivery>, 'token' | 'deadlineMs'>,
    { delayMs, dead = false, reason }: NackOptions,
  ): Promise<void> {
    const { delivery, attempt } = lease
    const { attemptsMax, backoff } = delivery.topic.options
    if (dead || attempt >= attemptsMax) return this.#bury(lease, reason)
    const waitMs = delayMs ?? backoffDelayMs(backoff, attempt, this.#parts.random)
    const delay = waitMs > 0 ? ` ${JSON.stringify({ delay: Math.ceil(waitMs) * 1_000_000 })}` : ''
    await this.#tell(delivery, `-NAK${delay}`)
  }

  async #bury(
    { delivery, group }: Omit<HeldLease<Delivery>, 'token' | 'deadlineMs'>,
    reason: string | undefined,
  ): Promise<void> {
    await this.#parts.bury(delivery.topic, { lease: delivery.lease, group, reason })
    await this.#tell(delivery, '+TERM')
  }

  #giveBack(lease: HeldLease<Delivery>, options: NackOptions): void {
    this.#end(lease, options).catch((cause: unknown) => {
      // The server hands it out again by itself once it has not heard of it.
      this.#parts.log.warn({ cause: String(cause) }, 'a message could not be handed back')
    })
  }

  /** Resolves when the server has taken note. */
  async #tell({ message }: Delivery, what: string): Promise<void> {
    await this.#parts.connection.request(message.reply ?? '', what, {
      timeout: timeDefaults.requestMs,
    })
  }

  #beHeard(): void {
    const nowMs = this.#parts.clock.monotonic()
    for (const { delivery } of this.#held.values()) {
      delivery.message.respond('+WPI')
      delivery.heardMs = nowMs
    }
  }

  /** Holds when the server may have handed the message to somebody else, because we were held up. */
  #wasSilent({ heardMs }: Delivery): boolean {
    return this.#parts.clock.monotonic() - heardMs >= this.#parts.silenceMs
  }

  /** Makes the group's consumer of a partition unless it is there; returns the stream's name. */
  async #ensure(info: TopicInfo, partition: number, group: string): Promise<string> {
    const { manager, layout, limits, silenceMs } = this.#parts
    const stream = layout.stream(info.name, partition)
    const consumer = layout.consumer(group)
    const key = `${stream} ${consumer}`
    if (this.#ensured.has(key)) return stream
    await manager.consumers.add(stream, {
      durable_name: consumer,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ack_wait: silenceMs * 1_000_000,
      max_deliver: -1,
      max_ack_pending: limits.outstandingMax,
    })
    this.#ensured.add(key)
    return stream
  }

  async #each(
    tokens: readonly string[],
    call: (token: string) => Promise<boolean>,
  ): Promise<readonly TokenOutcome[]> {
    return Promise.all(
      tokens.map(
        async (token) => ({ token, outcome: (await call(token)) ? 'done' : 'late' }) as const,
      ),
    )
  }
}

function lagOf(found: ConsumerInfo, group: string, partition: number): GroupLag {
  const lag = found.num_pending + found.num_ack_pending
  return { group, kind: 'work', partition, offset: found.ack_floor.stream_seq, lag, members: -1 }
}
