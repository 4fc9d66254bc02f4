import { fault } from '../errors.ts'
import { encodeBatch } from '../log/record.ts'
import { topicDefaults } from '../options.ts'
import type { NackOptions } from '../queue-engine.ts'
import type { Answer, Handler } from '../wire/link.ts'
import type { Broker } from './broker.ts'
import type { PartitionSpec } from './events.ts'
import { commit, committed, fenceGroup, lag } from './offsets.ts'
import { checkParams } from './params.ts'
import { type FetchCall, fetch, type ProduceCall, produce } from './records.ts'
import type { LeaseCall } from './work/work-desk.ts'

type Method = (
  broker: Broker,
  // biome-ignore lint/suspicious/noExplicitAny: each method checks what it needs of its parameters
  params: any,
  bytes: Buffer,
  signal: AbortSignal,
) => Promise<Answer>

const done = { result: null }

/** Everything that a broker can be asked. The names are those of the protocol. */
const methods: Readonly<Record<string, Method>> = {
  produce: async (broker, params: ProduceCall, bytes) => ({
    result: await produce(broker, params, bytes),
  }),
  fetch: async (broker, params: FetchCall, _bytes, signal) => {
    const { parts, ...result } = await fetch(broker, params, signal)
    return { result, parts }
  },
  bounds: async (broker, { ids }: { ids: number[] }) => ({
    result: ids.map((id) => {
      const { start, durable, bytes } = broker.partition(id).log
      return { firstOffset: start, endOffset: durable, bytes }
    }),
  }),
  commit: async (broker, params) => ({ result: await commit(broker, params) }),
  committed: async (broker, { id, group }) => {
    const result = committed(broker, id, group)
    await broker.store.whenDurable()
    return { result }
  },
  'group.fence': async (broker, params) => ({ result: await fenceGroup(broker, params) }),
  lag: async (broker, { id }) => ({ result: lag(broker, id) }),

  lease: async (broker, { ids, ...call }: LeaseCall & { ids: number[] }) => {
    const parts: Buffer[] = []
    const attempts: number[] = []
    let [deadlineMs, mark] = [0, 0]
    for (const id of ids.slice(0, 1_024)) {
      const count = call.count - attempts.length / 3
      if (count < 1) break
      const leased = await broker.desk.lease({ ...call, id, count })
      parts.push(...leased.parts)
      deadlineMs = leased.deadlineMs
      mark = leased.mark
      for (let at = 0; at < leased.attempts.length; at += 2)
        attempts.push(id, leased.attempts[at] ?? 0, leased.attempts[at + 1] ?? 0)
    }
    return { result: { attempts, deadlineMs, mark }, parts }
  },
  wait: async (broker, { ids, group, waitMs }, _bytes, signal) => ({
    result: await broker.desk.wait(ids, group, waitMs, signal),
  }),
  ack: async (broker, { tokens }) => ({ result: await broker.desk.ack(tokens) }),
  nack: async (broker, { tokens, options }: { tokens: string[]; options: NackOptions }) => ({
    result: await broker.desk.nack(tokens, options),
  }),
  extend: async (broker, { tokens, leaseMs }) => ({
    result: await broker.desk.extend(tokens, leaseMs),
  }),
  cancel: async (broker, { id, target }) => ({ result: await broker.desk.cancel(id, target) }),
  peek: async (broker, { id, group, count }) => {
    const { parts, attempts } = await broker.desk.peek(id, group, count)
    return { result: { attempts }, parts }
  },
  counts: async (broker, { id, group }: { id: number; group: string }) => {
    const { state, log } = broker.partition(id)
    const now = broker.using.clock.now()
    const all = { ready: log.durable - log.start, leased: 0, delayed: 0 }
    return { result: state.work.get(group)?.counts(log.durable, now) ?? all }
  },
  purge: async (broker, { id }) => ({ result: await broker.purge(id) }),
  dead: async (broker, { count }) => {
    const [letter] = await broker.desk.dead(count)
    if (!letter) return done
    const { parts, ...result } = letter
    return { result, parts }
  },
  bury: async (broker, { id, group, offsets }) => {
    await broker.desk.bury(id, group, offsets)
    return done
  },

  own: async (broker, { spec }: { spec: PartitionSpec }) => {
    await broker.own(spec)
    return done
  },
  copy: async (broker, { spec, start }) => {
    await broker.copy(spec, start)
    return done
  },
  'copy.read': async (broker, { id, offset, bytesMax }) => {
    const log = broker.store.partitions.get(id)
    if (!log) throw fault('NOT_OWNER', `partition ${id} is not here`)
    const parts = await log.read(offset, Math.min(bytesMax, 8_388_608))
    return { result: { start: log.start, durable: log.durable }, parts }
  },
  'copy.append': async (broker, { id }, bytes) => ({ result: await broker.append(id, bytes) }),
  fence: async (broker, { id, epoch }) => ({ result: await broker.fence(id, epoch) }),
  adopt: async (broker, { spec, state }) => {
    await broker.adopt(spec, state)
    return done
  },
  resume: async (broker, { id, epoch }) => {
    await broker.resume(id, epoch)
    return done
  },
  drop: async (broker, { id }) => {
    await broker.drop(id)
    return done
  },
  /** Only what is durable: a move is finished or undone by this. */
  roles: async (broker) => {
    const roles = [...broker.all].map(([id, { role, spec }]) => ({ id, role, epoch: spec.epoch }))
    await broker.store.whenDurable()
    return { result: roles }
  },
  /** Writes to a partition that exists only for this, and reads it back. */
  test: async (broker, { id, text }: { id: number; text: string }) => {
    const spec = testSpec(id)
    await broker.own(spec)
    try {
      const batch = encodeBatch([{ value: Buffer.from(text) }], broker.using.limits)
      const wanted = batch.subarray(64)
      const { offset } = await produce(broker, { id }, Buffer.from(batch))
      await broker.store.checkpoint()
      const { parts } = await fetch(broker, { id, from: { offset } })
      return { result: Buffer.concat(parts).subarray(64).equals(wanted) }
    } finally {
      await broker.drop(id)
    }
  },
  /** Removes and compacts now what the next upkeep would. */
  housekeep: async (broker) => {
    await broker.housekeep()
    await broker.checkUsage()
    return done
  },
  status: async (broker) => ({ result: broker.status() }),
}

function testSpec(id: number): PartitionSpec {
  return { id, topic: '_test', index: 0, epoch: 0, options: topicDefaults }
}

/** Returns the broker's end of a link. */
export function createBrokerHandler(broker: Broker): Handler {
  return async (method, params, bytes, signal) => {
    const run = Object.hasOwn(methods, method) ? methods[method] : undefined
    if (!run) throw fault('FRAME_INVALID', `no method ${method}`)
    checkParams(method, params)
    return run(broker, params, bytes, signal)
  }
}
