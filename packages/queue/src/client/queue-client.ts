import { hashText } from '@drover/ring'
import type { Stored } from '../broker/records.ts'
import { fault } from '../errors.ts'
import { batchBytesAt } from '../log/batch.ts'
import { decodeBatch, encodeBatch } from '../log/record.ts'
import type { KeptTopic } from '../manager/manager-state.ts'
import type { Message, QueueRecord, Receipt } from '../message.ts'
import { limitDefaults, type QueueLimits, timeDefaults } from '../options.ts'
import type {
  BrokerAdmin,
  BrokerInfo,
  CancelTarget,
  Feature,
  Fetched,
  FetchOptions,
  GroupLag,
  Membership,
  PartitionBounds,
  Position,
  ProduceOptions,
  QueueEngine,
  TopicInfo,
  TopicOptions,
  WorkCounts,
} from '../queue-engine.ts'
import { Routes, type RoutesOptions } from './routes.ts'
import { type Gathering, Sender, toReceipts } from './sender.ts'
import { WorkClient } from './work-client.ts'

export interface QueueClientOptions extends RoutesOptions {
  readonly limits?: QueueLimits
  readonly gathering?: Partial<Gathering>
}

/** A batch of 256 KiB costs one system call on each side and is written at once. */
const gatheringDefaults: Gathering = { lingerMs: 0, batchBytes: 262_144 }

/**
 * The queue as a program sees it. Finds the right broker for every partition, gathers messages to
 * batches, keeps several under way, repeats what may be repeated, and never stores one twice for it.
 */
export class QueueClient extends WorkClient implements QueueEngine, BrokerAdmin {
  readonly name = 'embedded'
  readonly lacks: ReadonlySet<Feature> = new Set()
  readonly #limits: QueueLimits
  readonly #gathering: Gathering
  readonly #senders = new Map<string, Sender>()
  #turn = 0

  constructor(options: QueueClientOptions) {
    super(new Routes(options))
    this.#limits = options.limits ?? limitDefaults
    this.#gathering = { ...gatheringDefaults, ...options.gathering }
  }

  /** Asks the manager where everything is, once, or until it answers and the patience is over. */
  async start(awaitsManager = false): Promise<void> {
    if (awaitsManager) await this.routes.repeat(() => this.routes.refresh())
    else await this.routes.refresh()
  }

  async stop(): Promise<void> {
    await this.routes.close()
  }

  async topics(): Promise<readonly TopicInfo[]> {
    return (await this.routes.topics()).map(toInfo)
  }

  async createTopic(topic: string, options: TopicOptions = {}): Promise<TopicInfo> {
    const made = await this.routes.manager('topic.create', { topic, options })
    await this.routes.refresh()
    return toInfo(made as KeptTopic)
  }

  async addPartitions(topic: string, count: number): Promise<number> {
    const grown = (await this.routes.manager('topic.grow', { topic, count })) as KeptTopic
    await this.routes.refresh()
    return grown.partitions.length
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.routes.manager('topic.delete', { topic })
    for (const key of [...this.#senders.keys()])
      if (key.startsWith(`${topic}/`)) this.#senders.delete(key)
    await this.routes.refresh()
  }

  async produce(
    topic: string,
    messages: readonly Message[],
    options: ProduceOptions = {},
    signal?: AbortSignal,
  ): Promise<readonly Receipt[]> {
    signal?.throwIfAborted()
    if (messages.length === 0) return []
    const count = (await this.routes.partitions(topic)).length
    if (options.sequence) return this.#produceSequence(topic, messages, options)
    const shares = this.#share(topic, messages, count)
    const { acks = 'disk' } = options
    const [only] = shares
    if (shares.size === 1 && only && only[1].all)
      return this.#senderOf(topic, only[0]).send(messages, acks)
    const receipts: Receipt[] = new Array(messages.length)
    await Promise.all(
      [...shares].flatMap(([index, { plain, keyed }]) =>
        [plain, keyed]
          .filter((places) => places.length > 0)
          .map(async (places) => {
            const share = places.map((place) => messages[place] as Message)
            const stored = await this.#senderOf(topic, index).send(share, acks)
            for (const [at, place] of places.entries()) receipts[place] = stored[at] as Receipt
          }),
      ),
    )
    return receipts
  }

  /** The places of the messages for each partition, those with a dedupe key apart. */
  #share(topic: string, messages: readonly Message[], count: number) {
    const shares = new Map<number, { plain: number[]; keyed: number[]; all: boolean }>()
    for (let place = 0; place < messages.length; place++) {
      const message = messages[place] as Message
      const index = this.#partitionFor(topic, message, count)
      const share = shares.get(index) ?? { plain: [], keyed: [], all: false }
      ;(message.dedupeKey === undefined ? share.plain : share.keyed).push(place)
      shares.set(index, share)
    }
    for (const share of shares.values())
      share.all = share.plain.length === messages.length || share.keyed.length === messages.length
    return shares
  }

  #partitionFor(topic: string, { partition, key, dedupeKey }: Message, count: number): number {
    if (partition === undefined) {
      const text = key ?? dedupeKey
      return text === undefined ? this.#turn++ % count : hashText(text) % count
    }
    if (!Number.isInteger(partition) || partition < 0 || partition >= count)
      throw fault('PARTITION_UNKNOWN', `topic ${topic} has no partition ${partition}`)
    return partition
  }

  #senderOf(topic: string, index: number): Sender {
    const key = `${topic}/${index}`
    let sender = this.#senders.get(key)
    if (!sender) {
      sender = new Sender(this.routes, { topic, index }, this.#limits, this.#gathering)
      this.#senders.set(key, sender)
    }
    return sender
  }

  /** The caller counts by itself: one batch, as it is, repeated under the same numbers. */
  async #produceSequence(
    topic: string,
    messages: readonly Message[],
    { sequence, acks = 'disk' }: ProduceOptions,
  ): Promise<Receipt[]> {
    const index = messages[0]?.partition
    if (!sequence || index === undefined || messages.some((one) => one.partition !== index))
      throw fault('MESSAGE_INVALID', 'with a sequence all messages must name the same partition')
    const { producer, epoch: producerEpoch, first } = sequence
    const origin = { producer, producerEpoch, sequence: first }
    const stored = await this.routes.repeat(async () => {
      const bytes = encodeBatch(messages, this.#limits, origin)
      const { id, epoch, broker } = await this.routes.partition(topic, index)
      return this.routes.broker(broker, 'produce', { id, epoch, acks }, [bytes])
    })
    return toReceipts(stored.result as Stored, messages.length, index)
  }

  async fetch(
    topic: string,
    partition: number,
    from: Position,
    options: FetchOptions = {},
    signal?: AbortSignal,
  ): Promise<Fetched> {
    const { messagesMax = 1_000, bytesMax = 1_048_576, waitMs = 0 } = options
    const call = { from, bytesMax, waitMs }
    const wait = { waitMs, ...(signal ? { signal } : {}) }
    const reply = await this.routes.callPartition(topic, partition, 'fetch', call, wait)
    const about = reply.result as { from: number; next: number; end: number }
    const records = decodeAll(reply.bytes, topic, partition, about.from)
    // Compaction may have left nothing behind the offset of a batch that reaches beyond it.
    if (records.length === 0 && about.next > about.from && about.next < about.end)
      return this.fetch(topic, partition, { offset: about.next }, options, signal)
    if (records.length <= messagesMax)
      return { records, nextOffset: about.next, endOffset: about.end }
    const kept = records.slice(0, messagesMax)
    return { records: kept, nextOffset: (kept.at(-1)?.offset ?? 0) + 1, endOffset: about.end }
  }

  async bounds(topic: string): Promise<readonly PartitionBounds[]> {
    return this.#ofEach(
      topic,
      'bounds',
      (route) => ({ ids: [route.id] }),
      (result, index) => ({
        partition: index,
        ...(result as [Omit<PartitionBounds, 'partition'>])[0],
      }),
    )
  }

  /** Calls `method` for every partition of a topic. */
  async #ofEach<Result>(
    topic: string,
    method: string,
    params: (route: { id: number }) => object,
    read: (result: unknown, index: number) => Result,
  ): Promise<Result[]> {
    const routes = await this.routes.partitions(topic)
    return Promise.all(
      routes.map((_, index) =>
        this.routes.repeat(async () => {
          const route = await this.routes.partition(topic, index)
          const call = { id: route.id, ...params(route) }
          return read((await this.routes.broker(route.broker, method, call)).result, index)
        }),
      ),
    )
  }

  async join(
    topic: string,
    group: string,
    member: string,
    sessionMs: number = timeDefaults.sessionMs,
  ): Promise<Membership> {
    const call = { topic, group, member, sessionMs }
    const share = await this.routes.manager('join', call)
    return { topic, group, member, ...(share as { generation: number; partitions: number[] }) }
  }

  async heartbeat({ topic, group, member }: Membership): Promise<Membership> {
    const share = await this.routes.manager('heartbeat', { topic, group, member })
    return { topic, group, member, ...(share as { generation: number; partitions: number[] }) }
  }

  async leave({ topic, group, member }: Membership): Promise<void> {
    await this.routes.manager('leave', { topic, group, member })
  }

  async commit(
    topic: string,
    group: string,
    partition: number,
    offset: number,
    membership?: Membership,
  ): Promise<void> {
    const guard = membership ? { generation: membership.generation } : {}
    if (membership && !membership.partitions.includes(partition))
      throw fault('GENERATION_STALE', `partition ${partition} is not ${membership.member}'s`)
    await this.routes.callPartition(topic, partition, 'commit', { group, offset, ...guard })
  }

  async committed(topic: string, group: string): Promise<ReadonlyMap<number, number>> {
    const offsets = await this.#ofEach(
      topic,
      'committed',
      () => ({ group }),
      (result) => result as number | null,
    )
    return new Map(
      offsets.flatMap((offset, index) => (offset === null ? [] : [[index, offset] as const])),
    )
  }

  async cancel(topic: string, target: CancelTarget): Promise<'waiting' | 'leased' | 'gone'> {
    const count = (await this.routes.partitions(topic)).length
    const named = 'offset' in target ? [target.partition] : [hashText(target.dedupeKey) % count]
    // With a key of its own beside the dedupe key a message may be anywhere.
    const others = Array.from({ length: count }, (_, index) => index)
    const places = 'offset' in target ? named : [...new Set([...named, ...others])]
    for (const index of places) {
      const { result } = await this.routes.callPartition(topic, index, 'cancel', { target })
      if (result !== 'gone') return result as 'waiting' | 'leased'
    }
    return 'gone'
  }

  async counts(topic: string, group = 'workers'): Promise<WorkCounts> {
    const all = await this.#ofEach(
      topic,
      'counts',
      () => ({ group }),
      (result) => result as WorkCounts,
    )
    const sum = (name: keyof WorkCounts) => all.reduce((total, one) => total + one[name], 0)
    return { ready: sum('ready'), leased: sum('leased'), delayed: sum('delayed') }
  }

  async lag(topic: string): Promise<readonly GroupLag[]> {
    const all = await this.#ofEach(
      topic,
      'lag',
      () => ({}),
      (result, partition) =>
        (result as Omit<GroupLag, 'partition' | 'members'>[]).map((one) => ({ ...one, partition })),
    )
    const members = new Map<string, number>()
    for (const { group, kind } of all.flat())
      if (kind === 'offsets' && !members.has(group))
        members.set(group, (await this.routes.manager('members', { topic, group })) as number)
    return all
      .flat()
      .map((one) => ({ ...one, members: one.kind === 'work' ? -1 : (members.get(one.group) ?? 0) }))
  }

  async purge(topic: string): Promise<number> {
    const counts = await this.#ofEach(
      topic,
      'purge',
      () => ({}),
      (result) => result as number,
    )
    return counts.reduce((sum, count) => sum + count, 0)
  }

  async brokers(): Promise<readonly BrokerInfo[]> {
    return (await this.routes.manager('broker.list', {})) as BrokerInfo[]
  }

  async addBroker(name: string, address?: string): Promise<void> {
    await this.#change('broker.add', { name, ...(address === undefined ? {} : { address }) })
  }

  async removeBroker(name: string): Promise<void> {
    await this.#change('broker.remove', { name })
  }

  /** Moving partitions takes as long as copying them does. Not repeated: it may have worked. */
  async #change(method: string, params: object): Promise<void> {
    await this.routes.using.manager.call(method, params, [], { waitMs: 3_600_000 })
    await this.routes.refresh()
  }

  async testBroker(name: string): Promise<void> {
    await this.routes.manager('broker.test', { name })
  }

  async placement(): Promise<ReadonlyMap<string, readonly string[]>> {
    const topics = await this.routes.topics()
    return new Map(
      topics.map(({ name, partitions }) => [name, partitions.map(({ broker }) => broker)]),
    )
  }
}

function toInfo({ name, options, partitions }: KeptTopic): TopicInfo {
  return { name, options, partitions: partitions.length }
}

/** Returns the records from offset `from` on in batches that stand one after the other. */
function decodeAll(bytes: Buffer, topic: string, partition: number, from: number): QueueRecord[] {
  const records: QueueRecord[] = []
  for (let at = 0; at < bytes.length; at += batchBytesAt(bytes, at))
    decodeBatch(bytes, at, topic, partition, from, records)
  return records
}
