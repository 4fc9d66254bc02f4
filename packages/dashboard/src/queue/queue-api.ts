import type { PartClient } from '../client/part.ts'
import { parseMetrics } from '../live/metrics-text.ts'

/** A topic as the queue's HTTP API tells of it. */
export interface Topic {
  readonly name: string
  readonly partitions: number
  readonly options: { readonly deadLetter: string; readonly attemptsMax: number }
  readonly bounds?: readonly {
    readonly partition: number
    readonly firstOffset: number
    readonly endOffset: number
    readonly bytes: number
  }[]
}

export interface Broker {
  readonly name: string
  readonly state: string
  readonly address: string
  readonly partitions: number
  readonly pid?: number
}

export interface Lag {
  readonly group: string
  readonly kind: string
  readonly partition: number
  readonly offset: number
  readonly lag: number
  /** -1 when nobody can tell. */
  readonly members: number
}

export interface Message {
  readonly partition: number
  readonly offset: number
  readonly timeMs: number
  readonly value?: string
  readonly valueBase64?: string
  readonly key?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** What the counters say of a topic. */
export interface TopicFigures {
  readonly ready: number
  readonly leased: number
  readonly delayed: number
  readonly bytes: number
  /** Messages that the group which is furthest behind has before it. */
  readonly lag: number
}

/** Everything of a queue that is shown at one time. */
export interface QueueView {
  readonly topics: readonly Topic[]
  readonly brokers: readonly Broker[]
  /** The broker of each partition of a topic. */
  readonly placement: Readonly<Record<string, readonly string[]>>
  readonly figures: ReadonlyMap<string, TopicFigures>
}

/** Reads a queue at this moment: three calls, whatever the number of topics. */
export async function readQueue(queue: PartClient): Promise<QueueView> {
  const [{ topics }, { brokers, placement }, text] = await Promise.all([
    queue.get<{ topics: Topic[] }>('/v1/topics'),
    readBrokers(queue),
    queue.text('/metrics'),
  ])
  const sorted = topics.toSorted((one, other) => one.name.localeCompare(other.name))
  return { topics: sorted, brokers, placement, figures: readFigures(text) }
}

/** A queue that runs on RabbitMQ or NATS has no brokers of ours. */
async function readBrokers(queue: PartClient): Promise<Pick<QueueView, 'brokers' | 'placement'>> {
  try {
    return await queue.get('/v1/brokers')
  } catch (problem) {
    if ((problem as { status?: number }).status === 404) return { brokers: [], placement: {} }
    throw problem
  }
}

/** Reads what the queue counts of each topic. */
export function readFigures(text: string): Map<string, TopicFigures> {
  const figures = new Map<string, TopicFigures>()
  for (const { name, labels, value } of parseMetrics(text)) {
    const { topic, state } = labels
    if (topic === undefined) continue
    const known = figures.get(topic) ?? { ready: 0, leased: 0, delayed: 0, bytes: 0, lag: 0 }
    if (name === 'drover_queue_work_messages')
      figures.set(topic, { ...known, [state ?? '']: value })
    if (name === 'drover_queue_stored_bytes') figures.set(topic, { ...known, bytes: value })
    if (name === 'drover_queue_lag_messages')
      figures.set(topic, { ...known, lag: Math.max(known.lag, value) })
  }
  return figures
}

const topicPath = (topic: string) => `/v1/topics/${encodeURIComponent(topic)}`

/** One topic with its bounds and how far its groups are. */
export async function readTopic(queue: PartClient, name: string) {
  const [topic, { lag }] = await Promise.all([
    queue.get<Topic>(topicPath(name)),
    queue.get<{ lag: Lag[] }>(`${topicPath(name)}/lag`),
  ])
  return { topic, lag }
}

/** The next messages that workers would get; nobody loses them by it. */
export async function peek(queue: PartClient, topic: string): Promise<readonly Message[]> {
  const path = `${topicPath(topic)}/peek?count=20`
  return (await queue.get<{ messages: Message[] }>(path)).messages
}

/** What is published. */
export interface NewMessage {
  readonly value: string
  readonly key?: string
}

export function publish(queue: PartClient, topic: string, messages: readonly NewMessage[]) {
  return queue.post(`${topicPath(topic)}/messages`, { messages })
}

export const purge = (queue: PartClient, topic: string) =>
  queue.post<{ removed: number }>(`${topicPath(topic)}/purge`)

export const createTopic = (queue: PartClient, name: string, partitions: number) =>
  queue.post('/v1/topics', { name, options: { partitions } })

export const deleteTopic = (queue: PartClient, name: string) => queue.remove(topicPath(name))

export const addBroker = (queue: PartClient, name: string) => queue.post('/v1/brokers', { name })

export const removeBroker = (queue: PartClient, name: string) =>
  queue.remove(`/v1/brokers/${encodeURIComponent(name)}`)

/** As many dead letters go back at one call. */
const replayBatch = 100
/** And as many at one press of the button; press again for more. */
const replayMost = 1_000
const replayLeaseMs = 60_000

interface Lease {
  readonly token: string
  readonly message: Message
}

/**
 * Sends dead letters back to the topic that they died in, and resolves to how many. Each is stored there
 * before it is taken from the dead ones: one that is interrupted comes twice rather than never.
 */
export async function replay(queue: PartClient, dead: string, topic: string): Promise<number> {
  let replayed = 0
  while (replayed < replayMost) {
    const { leases } = await queue.post<{ leases: Lease[] }>(`${topicPath(dead)}/leases`, {
      count: replayBatch,
      leaseMs: replayLeaseMs,
    })
    if (leases.length === 0) return replayed
    const messages = leases.map(({ message }) => revived(message))
    await queue.post(`${topicPath(topic)}/messages`, { messages })
    await queue.post('/v1/leases/ack', { tokens: leases.map(({ token }) => token) })
    replayed += leases.length
  }
  return replayed
}

/** The message as it was sent first, without what its death added. */
function revived({ value, valueBase64, key, headers = {} }: Message) {
  const kept = Object.entries(headers).filter(([name]) => !name.startsWith('drover-'))
  return {
    ...(valueBase64 === undefined ? { value: value ?? '' } : { valueBase64 }),
    ...(key === undefined ? {} : { key }),
    ...(kept.length === 0 ? {} : { headers: Object.fromEntries(kept) }),
  }
}
