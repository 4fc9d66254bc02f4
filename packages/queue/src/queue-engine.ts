import type { Service } from '@drover/kernel'
import type { Message, QueueRecord, Receipt } from './message.ts'

/** The engines that a queue can run on. */
export type EngineName = 'embedded' | 'rabbitmq' | 'nats'

/**
 * What not every engine can do. A call that needs a feature which the engine lacks throws
 * FEATURE_MISSING; nothing is emulated badly. What is not in this list every engine must do: topics,
 * produce with durable receipts, lease, ack, nack, attempts, dead letters, purge, counts.
 */
export type Feature =
  /** `fetch` and `bounds`: read any offset again. */
  | 'replay'
  /** `fetch` from a time. */
  | 'replay-by-time'
  /** `join`, `heartbeat`, `leave`, `commit`, `committed`. */
  | 'groups'
  /** Groups of workers besides the default one, each of which gets every message. */
  | 'work-groups'
  /** Receipts and records carry the real offset; without it `offset` is -1 and `partition` 0. */
  | 'offsets'
  /** More than one partition per topic, in order within each. */
  | 'partitions'
  /** `sequence` in ProduceOptions. */
  | 'idempotent-producer'
  /** `priority`, `dueMs`, `dedupeKey` of a message. */
  | 'priority'
  | 'delay'
  | 'dedupe'
  /** `delayMs` in `nack`. */
  | 'nack-delay'
  | 'extend'
  | 'cancel'
  | 'peek'
  /** `concurrency…` and `rate…` in TopicOptions. */
  | 'limits'
  | 'limits-per-key'
  | 'retention'
  | 'compaction'

/** How a topic keeps its messages, and how its work is handed out. Defaults are in options.ts. */
export interface TopicOptions {
  readonly partitions?: number
  /** Messages older than this are removed, a whole segment at a time. 0 keeps them. */
  readonly retentionMs?: number
  /** The oldest segments of a partition are removed while it has more than this. 0 means no limit. */
  readonly retentionBytes?: number
  /** Keep the last message of each key; an empty value removes the key. */
  readonly compact?: boolean
  /** How often a message is handed out before it goes to the dead-letter topic. */
  readonly attemptsMax?: number
  /** The topic for those; empty drops them. Default `<topic>.dead`, made on demand. */
  readonly deadLetter?: string
  /** Waits between attempts: drawn from [half, whole] of firstMs · 2^(attempt - 1), at most mostMs. */
  readonly backoff?: { readonly firstMs: number; readonly mostMs: number }
  /** How long a dedupe key is remembered. */
  readonly dedupeMs?: number
  /** Leases at one time, over all workers of a group. 0 means no limit. */
  readonly concurrencyMax?: number
  /** Leases given per second in each group, with bursts of one second's worth. 0 means no limit. */
  readonly rateMax?: number
  /** The same two for messages of one key. */
  readonly keyConcurrencyMax?: number
  readonly keyRateMax?: number
}

/** A topic as the engine knows it. */
export interface TopicInfo {
  readonly name: string
  readonly partitions: number
  readonly options: Required<TopicOptions>
}

/** How a produce call is kept from being stored twice when it is repeated. */
interface ProduceSequence {
  /** Told apart from all other producers; a random 48-bit number does. */
  readonly producer: number
  /** Raised by a producer that takes the place of one with the same number: the old one is refused. */
  readonly epoch: number
  /** The number of the first message within its partition, counted from 0 by the producer. */
  readonly first: number
}

export interface ProduceOptions {
  /** Needs every message to name the same partition. */
  readonly sequence?: ProduceSequence
  /**
   * `disk` (default): resolves when the messages would survive a power cut. `memory`: when the
   * broker has them, which loses the last moments before a crash.
   */
  readonly acks?: 'disk' | 'memory'
}

/** Where to begin to read. */
export type Position =
  | { readonly offset: number }
  /** The first message stored at or after this wall time. */
  | { readonly timeMs: number }
  | 'earliest'
  | 'latest'

export interface FetchOptions {
  /** Default 1,000. */
  readonly messagesMax?: number
  /** About as many bytes at the most, but at least one message. Default 1 MiB. */
  readonly bytesMax?: number
  /** How long to wait for the first message when there is none. Default 0. */
  readonly waitMs?: number
}

/** What a fetch found. */
export interface Fetched {
  readonly records: readonly QueueRecord[]
  /** Where to go on. After a jump over compacted or removed messages it is past them. */
  readonly nextOffset: number
  /** The offset that the next message will get, as of this answer. */
  readonly endOffset: number
}

export interface PartitionBounds {
  readonly partition: number
  readonly firstOffset: number
  readonly endOffset: number
  readonly bytes: number
}

/** One reader's place in a group. Hand it back to `heartbeat`, `commit` and `leave`. */
export interface Membership {
  readonly topic: string
  readonly group: string
  readonly member: string
  /** Grows with every change of who has what; commits of an older one are refused. */
  readonly generation: number
  /** The partitions that are this member's to read. */
  readonly partitions: readonly number[]
}

/** One message handed to a worker until the deadline. */
export interface Lease {
  /** Names this handing out; worthless once the message was handed out again. */
  readonly token: string
  readonly record: QueueRecord
  /** 1 the first time. */
  readonly attempt: number
  readonly deadlineMs: number
}

export interface LeaseOptions {
  /** Each group gets every message once. Default `workers`. */
  readonly group?: string
  /** The most messages. Default 1. */
  readonly count?: number
  /** Default 30 s: what a crashed worker held is handed out again after this. */
  readonly leaseMs?: number
  /** How long to wait for the first message when there is none. Default 0. */
  readonly waitMs?: number
  /**
   * `disk` (default): a lease would survive a power cut. `memory`: it is given out at once; a broker
   * that dies in the next moment hands the message out again, and refuses the token of before.
   * Engines whose leases are in memory anyway do not care.
   */
  readonly acks?: 'disk' | 'memory'
}

export interface NackOptions {
  /** When to hand it out again; without it the topic's backoff decides. */
  readonly delayMs?: number
  /** Go to the dead-letter topic now. */
  readonly dead?: boolean
  /** Kept in the header `drover-reason` of the dead letter. */
  readonly reason?: string
}

/** How it went for one token of a call with several. */
export interface TokenOutcome {
  readonly token: string
  /** `late`: the lease ended before; the message is or will be handed out again. */
  readonly outcome: 'done' | 'late' | 'cancelled'
}

/** The messages of one topic as one group of workers sees them. */
export interface WorkCounts {
  readonly ready: number
  /** Handed out now. */
  readonly leased: number
  /** Due later: delayed by the producer or by a nack. */
  readonly delayed: number
}

/** How far a group is behind. */
export interface GroupLag {
  readonly group: string
  readonly kind: 'offsets' | 'work'
  readonly partition: number
  /** The committed offset, or the first one not done. */
  readonly offset: number
  /** Messages from there to the end. */
  readonly lag: number
  /** Members that are alive; -1 when the engine cannot tell. */
  readonly members: number
}

/** Which message to cancel. */
export type CancelTarget =
  | { readonly dedupeKey: string }
  | { readonly partition: number; readonly offset: number }

/**
 * One queue, whatever it runs on. Every call may throw a fault of errors.ts and ENGINE_FAILED; all
 * that wait take a signal as their last parameter. Calls may overlap.
 */
export interface QueueEngine extends Service {
  readonly name: EngineName
  readonly lacks: ReadonlySet<Feature>

  topics(): Promise<readonly TopicInfo[]>
  /** Throws TOPIC_EXISTS, NAME_INVALID, TOPICS_TOO_MANY, PARTITIONS_TOO_MANY, FEATURE_MISSING. */
  createTopic(topic: string, options?: TopicOptions): Promise<TopicInfo>
  /** Adds partitions at the end; keys may then map elsewhere. Resolves to the new number of them. */
  addPartitions(topic: string, count: number): Promise<number>
  deleteTopic(topic: string): Promise<void>

  /** Stores `messages`; receipts are in their order. All of one partition are stored, or none. */
  produce(
    topic: string,
    messages: readonly Message[],
    options?: ProduceOptions,
    signal?: AbortSignal,
  ): Promise<readonly Receipt[]>

  /** Throws OFFSET_OUT_OF_RANGE for an offset past the end; one before the start begins there. */
  fetch(
    topic: string,
    partition: number,
    from: Position,
    options?: FetchOptions,
    signal?: AbortSignal,
  ): Promise<Fetched>
  bounds(topic: string): Promise<readonly PartitionBounds[]>

  /** Enters a group that reads by offset, or renews an entry under the same `member`. */
  join(topic: string, group: string, member: string, sessionMs?: number): Promise<Membership>
  /**
   * Keeps the place and returns what is this member's now. A partition is given to its next reader
   * only after the one before has learnt of it here, or is gone. Throws MEMBER_UNKNOWN.
   */
  heartbeat(membership: Membership): Promise<Membership>
  leave(membership: Membership): Promise<void>
  /**
   * Notes that everything before `offset` is done. Never goes back by itself. With a membership,
   * throws GENERATION_STALE when the partition has another reader by now; without one it is
   * unguarded, for readers that do not share.
   */
  commit(
    topic: string,
    group: string,
    partition: number,
    offset: number,
    membership?: Membership,
  ): Promise<void>
  /** The committed offsets by partition; none where the group has not committed. */
  committed(topic: string, group: string): Promise<ReadonlyMap<number, number>>

  lease(topic: string, options?: LeaseOptions, signal?: AbortSignal): Promise<readonly Lease[]>
  /** Lengthens leases to `leaseMs` from now. */
  extend(tokens: readonly string[], leaseMs: number): Promise<readonly TokenOutcome[]>
  ack(tokens: readonly string[]): Promise<readonly TokenOutcome[]>
  nack(tokens: readonly string[], options?: NackOptions): Promise<readonly TokenOutcome[]>
  /**
   * Takes a message from every group of workers. `waiting`: none will get it any more. `leased`: one
   * has it; its extend and ack answer `cancelled`, and it is not handed out again. `gone`: done or
   * unknown.
   */
  cancel(topic: string, target: CancelTarget): Promise<'waiting' | 'leased' | 'gone'>

  /** The next messages that workers of `group` would get, without taking them. */
  peek(topic: string, count: number, group?: string): Promise<readonly QueueRecord[]>
  counts(topic: string, group?: string): Promise<WorkCounts>
  lag(topic: string): Promise<readonly GroupLag[]>
  /** Removes every message; resolves to how many (those of retention's own segments included). */
  purge(topic: string): Promise<number>
}

/** Where partitions live and how brokers come and go. The embedded engine has it; others do not. */
export interface BrokerAdmin {
  brokers(): Promise<readonly BrokerInfo[]>
  /**
   * Starts a broker, or takes one that runs at `address` (HOST:PORT), and moves to it what the ring
   * gives it. Throws BROKER_EXISTS, NAME_INVALID, BROKER_UNREACHABLE.
   */
  addBroker(name: string, address?: string): Promise<void>
  /** Moves away all it has, then ends it. Throws BROKER_UNKNOWN, and LAST_BROKER when topics remain. */
  removeBroker(name: string): Promise<void>
  /** Writes through the broker to disk, reads it back and compares. Throws BROKER_UNKNOWN. */
  testBroker(name: string): Promise<void>
  /** The broker of each partition: `placement.get(topic)[partition]`. */
  placement(): Promise<ReadonlyMap<string, readonly string[]>>
}

export interface BrokerInfo {
  readonly name: string
  readonly state: 'starting' | 'up' | 'down' | 'leaving'
  /** HOST:PORT of the binary protocol; empty for a broker inside this process. */
  readonly address: string
  readonly partitions: number
  /** Its process; undefined within this one, and while it is down. */
  readonly pid?: number | undefined
}
