import type { Clock } from '@drover/kernel'
import { AckPolicy, DeliverPolicy, type JetStreamManager } from '@nats-io/jetstream'
import type { Msg, NatsConnection } from '@nats-io/transport-node'
import { fault } from '../../errors.ts'
import type { QueueRecord } from '../../message.ts'
import { timeDefaults } from '../../options.ts'
import type { Fetched, FetchOptions, PartitionBounds, Position } from '../../queue-engine.ts'
import type { NatsLayout } from './nats-layout.ts'
import { parseDelivery, toRecord } from './nats-message.ts'
import { pull } from './nats-pull.ts'

/** Messages asked for at once, so that large ones do not fill the memory. */
const pullMessagesMax = 128
/** How long a server that is behind is waited for, and how often, before what is there is all. */
const [behindMs, emptyMax] = [200, 10]
/** A reader whose process died is forgotten by the server after this, in ns. */
const forgottenAfterNs = 10_000_000_000

/** Reads partitions by offset, each through a consumer that lives as long as the call. */
export interface NatsReplayParts {
  readonly connection: NatsConnection
  readonly manager: JetStreamManager
  readonly layout: NatsLayout
  readonly clock: Clock
}

/** Returns where a partition begins and ends. */
export async function boundsOf(
  { manager, layout }: NatsReplayParts,
  topic: string,
  partition: number,
): Promise<PartitionBounds> {
  const { state } = await manager.streams.info(layout.stream(topic, partition))
  const firstOffset = state.messages === 0 ? state.last_seq : state.first_seq - 1
  return { partition, firstOffset, endOffset: state.last_seq, bytes: state.bytes }
}

/** Reads from `from` on; see QueueEngine.fetch. Throws OFFSET_OUT_OF_RANGE, OPTION_INVALID. */
export async function readFrom(
  parts: NatsReplayParts,
  at: { readonly topic: string; readonly partition: number },
  from: Position,
  options: FetchOptions,
  signal?: AbortSignal,
): Promise<Fetched> {
  const { messagesMax = 1_000, bytesMax = 1_048_576, waitMs = 0 } = options
  if (!(messagesMax >= 1 && bytesMax >= 1 && waitMs >= 0 && waitMs <= timeDefaults.waitMsMax))
    throw fault('OPTION_INVALID', 'messagesMax and bytesMax are at least 1, waitMs at most 60,000')
  const bounds = await boundsOf(parts, at.topic, at.partition)
  const start = startOf(from, bounds)
  const empty = { records: [], nextOffset: start.offset, endOffset: bounds.endOffset }
  if (start.offset >= bounds.endOffset && waitMs === 0) return empty
  const stream = parts.layout.stream(at.topic, at.partition)
  const { name } = await parts.manager.consumers.add(stream, {
    ack_policy: AckPolicy.None,
    inactive_threshold: forgottenAfterNs,
    mem_storage: true,
    num_replicas: 1,
    ...start.policy,
  })
  try {
    const upTo = bounds.endOffset
    const wanted = { stream, consumer: name, messagesMax, bytesMax, waitMs, upTo, ...start }
    const records = await readThrough(parts, at, wanted, signal)
    const nothingThere = start.byTime ? upTo : start.offset
    const nextOffset = records.length > 0 ? (records.at(-1)?.offset ?? 0) + 1 : nothingThere
    return { records, nextOffset, endOffset: Math.max(upTo, nextOffset) }
  } finally {
    // The server forgets it by itself, too.
    parts.manager.consumers.delete(stream, name).catch(() => {})
  }
}

interface Wanted extends Required<FetchOptions> {
  readonly stream: string
  readonly consumer: string
  readonly offset: number
  readonly byTime: boolean
  /** The end as the leader of the stream knew it. */
  readonly upTo: number
}

/**
 * Asks a consumer until there is enough, or all up to the end. In a cluster the consumer may be on a
 * server that is a moment behind the leader, so it is asked again when it has not all.
 */
async function readThrough(
  { connection, clock }: NatsReplayParts,
  at: { readonly topic: string; readonly partition: number },
  wanted: Wanted,
  signal?: AbortSignal,
): Promise<QueueRecord[]> {
  const { stream, consumer, messagesMax, bytesMax, waitMs, upTo } = wanted
  const records: QueueRecord[] = []
  let bytes = 0
  let next = wanted.offset
  for (let empty = 0; empty < (wanted.byTime ? 1 : emptyMax); ) {
    const batch = Math.min(pullMessagesMax, messagesMax - records.length)
    const wait = next < upTo ? behindMs : waitMs
    const ask = { stream, consumer, batch, waitMs: wait }
    const messages = await pull(connection, clock, ask, signal)
    for (const record of messages.map((message) => recordOf(at, message))) {
      // More than is asked for by less than one pull: it is in memory already.
      bytes += record.value.length
      records.push(record)
      next = record.offset + 1
    }
    if (records.length >= messagesMax || bytes >= bytesMax || next >= upTo) return records
    empty = messages.length === 0 ? empty + 1 : 0
  }
  return records
}

function startOf(from: Position, { firstOffset, endOffset }: PartitionBounds) {
  const at = (offset: number) => ({
    offset,
    byTime: false,
    policy: { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: offset + 1 },
  })
  if (from === 'earliest') return at(firstOffset)
  if (from === 'latest') return at(endOffset)
  if ('timeMs' in from) {
    const opt_start_time = new Date(from.timeMs).toISOString()
    const policy = { deliver_policy: DeliverPolicy.StartTime, opt_start_time }
    return { offset: firstOffset, byTime: true, policy }
  }
  if (!Number.isSafeInteger(from.offset) || from.offset < 0)
    throw fault('OPTION_INVALID', `${from.offset} is no offset`)
  if (from.offset > endOffset)
    throw fault('OFFSET_OUT_OF_RANGE', `offset ${from.offset} is past the end, ${endOffset}`)
  return at(Math.max(from.offset, firstOffset))
}

function recordOf(at: { topic: string; partition: number }, message: Msg): QueueRecord {
  const delivery = parseDelivery(message.reply ?? '')
  const offset = (delivery?.sequence ?? 0) - 1
  return toRecord({ ...at, offset, timeMs: delivery?.timeMs ?? 0 }, message.data, message.headers)
}
