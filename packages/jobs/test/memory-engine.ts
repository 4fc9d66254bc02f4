import { type Clock, Fault } from '@drover/kernel'
import type { Lease, Message, QueueEngine, QueueRecord } from '@drover/queue'

interface Entry {
  readonly record: QueueRecord
  attempt: number
  token: string | undefined
  untilMs: number
  done: boolean
}

/** What of a queue the pipeline uses, in memory; it outlives the engines that are made over it. */
export function createMemoryEngine(clock: Clock): QueueEngine & { broken: boolean } {
  const topics = new Map<string, Entry[]>()
  const byToken = new Map<string, Entry>()
  const waiting = new Set<() => void>()
  let tokens = 0
  const state = { broken: false }
  const entriesOf = (topic: string) => {
    if (state.broken)
      throw new Fault('BROKER_UNREACHABLE', { status: 503, retry: 'later' }, 'the queue is away')
    const entries = topics.get(topic)
    if (!entries) throw new Fault('TOPIC_UNKNOWN', { status: 404, retry: 'never' }, topic)
    return entries
  }
  const isFree = (entry: Entry) => !entry.done && clock.now() >= entry.untilMs
  const take = (topic: string, count: number, leaseMs: number): Lease[] => {
    const free = entriesOf(topic).filter(isFree).slice(0, count)
    return free.map((entry) => {
      const token = `token-${tokens++}`
      entry.token = token
      entry.untilMs = clock.now() + leaseMs
      entry.attempt++
      byToken.set(token, entry)
      return { token, record: entry.record, attempt: entry.attempt, deadlineMs: entry.untilMs }
    })
  }
  const settle = (list: readonly string[], change: (entry: Entry) => void) => {
    for (const token of list) {
      const entry = byToken.get(token)
      if (entry?.token === token) change(entry)
    }
    for (const wake of waiting) wake()
    return Promise.resolve(list.map((token) => ({ token, outcome: 'done' as const })))
  }
  const engine = {
    ...state,
    name: 'embedded',
    lacks: new Set(),
    async createTopic(topic: string) {
      if (topics.has(topic)) throw new Fault('TOPIC_EXISTS', { status: 409, retry: 'never' }, topic)
      topics.set(topic, [])
    },
    async produce(topic: string, messages: readonly Message[]) {
      const entries = entriesOf(topic)
      for (const { value } of messages) {
        const record = { topic, value, partition: 0, offset: entries.length } as QueueRecord
        entries.push({ record, attempt: 0, token: undefined, untilMs: 0, done: false })
      }
      for (const wake of waiting) wake()
      return []
    },
    async lease(
      topic: string,
      { count = 1, leaseMs = 30_000, waitMs = 0 } = {},
      signal?: AbortSignal,
    ) {
      const found = take(topic, count, leaseMs)
      if (found.length > 0 || waitMs === 0 || signal?.aborted) return found
      await new Promise<void>((resolve) => {
        const end = () => {
          cancel()
          waiting.delete(end)
          resolve()
        }
        const cancel = clock.after(waitMs, end)
        waiting.add(end)
        signal?.addEventListener('abort', end, { once: true })
      })
      return signal?.aborted ? [] : take(topic, count, leaseMs)
    },
    ack: (list: readonly string[]) =>
      settle(list, (entry) => {
        entry.done = true
      }),
    nack: (list: readonly string[], options: { dead?: boolean } = {}) =>
      settle(list, (entry) => {
        entry.done = options.dead === true
        entry.untilMs = clock.now()
      }),
    async counts(topic: string) {
      const open = entriesOf(topic).filter(({ done }) => !done)
      const ready = open.filter(isFree).length
      return { ready, leased: open.length - ready, delayed: 0 }
    },
  }
  Object.defineProperty(engine, 'broken', {
    get: () => state.broken,
    set: (broken: boolean) => {
      state.broken = broken
    },
  })
  return engine as unknown as QueueEngine & { broken: boolean }
}
