import { formatToken, parseToken } from '../broker/tokens.ts'
import { fault } from '../errors.ts'
import { batchBytesAt, partitionAt } from '../log/batch.ts'
import { decodeBatch } from '../log/record.ts'
import type { QueueRecord } from '../message.ts'
import { checkName, timeDefaults } from '../options.ts'
import type { Lease, LeaseOptions, NackOptions, TokenOutcome } from '../queue-engine.ts'
import type { Reply } from '../wire/link.ts'
import type { Route, Routes } from './routes.ts'

const defaultGroup = 'workers'

/** The part of the client that takes work and gives it back. */
export class WorkClient {
  protected readonly routes: Routes
  #turn = 0

  constructor(routes: Routes) {
    this.routes = routes
  }

  async lease(
    topic: string,
    options: LeaseOptions = {},
    signal?: AbortSignal,
  ): Promise<readonly Lease[]> {
    const { group = defaultGroup, count = 1, leaseMs = timeDefaults.leaseMs } = options
    const { waitMs = 0, acks = 'disk' } = options
    checkName('group', group)
    const { clock } = this.routes.using
    const endsAt = clock.monotonic() + Math.min(waitMs, timeDefaults.waitMsMax)
    for (;;) {
      signal?.throwIfAborted()
      const leases = await this.routes.repeat(
        () => this.#leaseOnce(topic, { group, count, leaseMs, acks }, signal),
        signal,
      )
      const leftMs = endsAt - clock.monotonic()
      if (leases.length > 0 || leftMs <= 0) return leases
      await this.routes.repeat(() => this.#wait(topic, group, leftMs, signal), signal)
    }
  }

  /** Asks each broker in turn, beginning with another one each time, until there are enough. */
  async #leaseOnce(
    topic: string,
    wanted: Required<Omit<LeaseOptions, 'waitMs'>>,
    signal?: AbortSignal,
  ): Promise<Lease[]> {
    const { group, count } = wanted
    const turn = this.#turn++
    const leases: Lease[] = []
    for (const [broker, routes] of rotate(
      [...byBroker(await this.routes.partitions(topic))],
      turn,
    )) {
      const ids = rotate(routes, turn).map(({ id }) => id)
      const call = { ...wanted, ids, count: count - leases.length }
      const options = signal ? { signal } : {}
      try {
        const reply = await this.routes.broker(broker, 'lease', call, [], options)
        leases.push(...toLeases(reply, topic, group, routes))
      } catch (error) {
        // What we have already is ours; the broker that failed is asked the next time.
        if (leases.length === 0) throw error
        return leases
      }
      if (leases.length >= count) break
    }
    return leases
  }

  /** Resolves when some broker may have work. */
  async #wait(topic: string, group: string, waitMs: number, signal?: AbortSignal): Promise<void> {
    const stop = new AbortController()
    const giveUp = () => stop.abort(signal?.reason)
    signal?.throwIfAborted()
    signal?.addEventListener('abort', giveUp, { once: true })
    try {
      const routes = byBroker(await this.routes.partitions(topic))
      await Promise.race(
        [...routes].map(([broker, own]) => {
          const call = { ids: own.map(({ id }) => id), group, waitMs }
          return this.routes.broker(broker, 'wait', call, [], { signal: stop.signal, waitMs })
        }),
      )
    } finally {
      signal?.removeEventListener('abort', giveUp)
      stop.abort()
    }
  }

  extend(tokens: readonly string[], leaseMs: number): Promise<readonly TokenOutcome[]> {
    return this.#settle('extend', tokens, { leaseMs })
  }

  ack(tokens: readonly string[]): Promise<readonly TokenOutcome[]> {
    return this.#settle('ack', tokens, {})
  }

  nack(tokens: readonly string[], options: NackOptions = {}): Promise<readonly TokenOutcome[]> {
    return this.#settle('nack', tokens, { options })
  }

  /** Sends tokens to the brokers of their partitions; outcomes come back in the order of the tokens. */
  async #settle(
    method: string,
    tokens: readonly string[],
    params: object,
  ): Promise<readonly TokenOutcome[]> {
    const byPartition = new Map<number, string[]>()
    for (const token of tokens) {
      const { id } = parseToken(token)
      const own = byPartition.get(id)
      if (own) own.push(token)
      else byPartition.set(id, [token])
    }
    const outcomes = new Map<string, TokenOutcome>()
    const settleOne = async (id: number, own: readonly string[]) => {
      const reply = await this.routes.repeat(async () => {
        const { broker } = await this.routes.byId(id)
        return this.routes.broker(broker, method, { tokens: own, ...params })
      })
      for (const one of reply.result as TokenOutcome[]) outcomes.set(one.token, one)
    }
    await Promise.all([...byPartition].map(([id, own]) => settleOne(id, own)))
    return tokens.map((token) => outcomes.get(token) ?? { token, outcome: 'late' })
  }

  async peek(topic: string, count: number, group = defaultGroup): Promise<readonly QueueRecord[]> {
    if (!Number.isInteger(count) || count < 1)
      throw fault('OPTION_INVALID', `count is ${count}, not a whole number above 0`)
    const records: QueueRecord[] = []
    for (const { index } of await this.routes.partitions(topic)) {
      const call = { group, count: count - records.length }
      const reply = await this.routes.callPartition(topic, index, 'peek', call)
      const found = recordsByOffset(reply.bytes, topic, () => index)
      const { attempts } = reply.result as { attempts: number[] }
      for (let at = 0; at < attempts.length; at += 2) {
        const record = [...found.values()].find((one) => one.offset === attempts[at])
        if (record) records.push(record)
      }
      if (records.length >= count) break
    }
    return records
  }
}

function byBroker(routes: readonly Route[]): Map<string, Route[]> {
  const groups = new Map<string, Route[]>()
  for (const route of routes) {
    const own = groups.get(route.broker)
    if (own) own.push(route)
    else groups.set(route.broker, [route])
  }
  return groups
}

function rotate<Item>(items: readonly Item[], by: number): Item[] {
  const at = items.length === 0 ? 0 : by % items.length
  return [...items.slice(at), ...items.slice(0, at)]
}

function toLeases(reply: Reply, topic: string, group: string, routes: readonly Route[]): Lease[] {
  const given = reply.result as { attempts: number[]; deadlineMs: number; mark: number }
  const { attempts, deadlineMs, mark } = given
  const indexOf = new Map(routes.map(({ id, index }) => [id, index]))
  const records = recordsByOffset(reply.bytes, topic, (id) => indexOf.get(id) ?? -1)
  const leases: Lease[] = []
  for (let at = 0; at < attempts.length; at += 3) {
    const [id, offset, attempt] = attempts.slice(at, at + 3) as [number, number, number]
    const record = records.get(`${id}/${offset}`)
    if (!record) continue
    const token = formatToken({ id, offset, attempt, mark, group })
    leases.push({ token, record, attempt, deadlineMs })
  }
  return leases
}

/** The records of the batches in `bytes`, by partition number and offset. */
function recordsByOffset(bytes: Buffer, topic: string, indexOf: (id: number) => number) {
  const found = new Map<string, QueueRecord>()
  for (let at = 0; at < bytes.length; at += batchBytesAt(bytes, at)) {
    const id = partitionAt(bytes, at)
    const records: QueueRecord[] = []
    decodeBatch(bytes, at, topic, indexOf(id), 0, records)
    for (const record of records) found.set(`${id}/${record.offset}`, record)
  }
  return found
}
