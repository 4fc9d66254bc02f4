import { fault } from '../../errors.ts'
import { keyAt } from '../../log/record.ts'
import { checkLeaseMs, timeDefaults } from '../../options.ts'
import type { NackOptions, TokenOutcome } from '../../queue-engine.ts'
import type { Broker, Partition } from '../broker.ts'
import { checkRoomForGroup } from '../group-room.ts'
import { ReadCache } from '../read-cache.ts'
import { type Found, findRecords, partsOf } from '../records.ts'
import { parseToken } from '../tokens.ts'
import { WorkLimits } from './key-limits.ts'
import type { DeadLetters, FoundBatches, LeasedBatches } from './leased.ts'
import { toRuns } from './runs.ts'
import type { WorkGroup } from './work-group.ts'

export interface LeaseCall {
  readonly id: number
  readonly group: string
  readonly count: number
  readonly leaseMs: number
  readonly acks?: 'disk' | 'memory'
}

/** The most messages that one call hands out. */
const leaseCountMax = 10_000
/** Rounds of parking in one call. */
const roundsMax = 100

/** Hands out the work of a broker's partitions, takes back what is done, and looks after the late. */
export class WorkDesk {
  readonly #broker: Broker
  readonly #turns = new Map<string, Promise<unknown>>()
  readonly #limits = new Map<string, WorkLimits>()
  readonly #reads = new ReadCache()
  /** Of all that is handed out until the broker opens anew; see tokens.ts. */
  readonly #mark: number

  constructor(broker: Broker) {
    this.#broker = broker
    this.#mark = broker.using.random.integer(1, 2 ** 32 - 1)
  }

  /** Hands out up to `count` messages; none when nothing is due or a limit is reached. */
  async lease(call: LeaseCall): Promise<LeasedBatches> {
    if (!Number.isInteger(call.count) || call.count < 1 || call.count > leaseCountMax)
      throw fault('OPTION_INVALID', `count is ${call.count}, not 1 to ${leaseCountMax}`)
    checkLeaseMs(call.leaseMs)
    await this.#openGroup(call.id, call.group)
    const given = await this.#inTurn(`${call.id}/${call.group}`, () => this.#give(call))
    if (call.acks !== 'memory') await given.durable
    return given
  }

  /** One after the other for each group, so that no message is chosen twice. */
  #inTurn<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const turn = (this.#turns.get(name) ?? Promise.resolve()).then(work)
    const settled = turn
      .catch(() => {})
      .then(() => {
        if (this.#turns.get(name) === settled) this.#turns.delete(name)
      })
    this.#turns.set(name, settled)
    return turn
  }

  async #openGroup(id: number, group: string): Promise<void> {
    const { state, log } = this.#broker.partition(id)
    if (state.work.has(group)) return
    checkRoomForGroup(state.work.size)
    await this.#broker.event({ type: 'work', id, group, start: log.start })
  }

  async #give({ id, group, count, leaseMs }: LeaseCall) {
    const partition = this.#broker.partition(id)
    const { clock } = this.#broker.using
    const work = groupOf(partition, group)
    const limits = await this.#limitsOf(partition, group)
    work.putBack(limits.ripen(clock.monotonic()))
    const room = Math.min(count, limits.room(work.leased, clock.monotonic()))
    const chosen = await this.#choose(partition, work, limits, room)
    const given = { deadlineMs: clock.now() + leaseMs, mark: this.#mark }
    if (chosen.taken.size === 0 && chosen.aside.length === 0 && chosen.gone.length === 0)
      return { parts: [], attempts: [], ...given, durable: Promise.resolve() }
    const runs = toRuns([...chosen.taken.keys()])
    const aside = toRuns(chosen.aside)
    const { cursor } = chosen
    const durable = this.#broker.event({ type: 'lease', id, group, cursor, runs, aside, ...given })
    if (chosen.gone.length > 0)
      this.#broker.event({ type: 'done', id, group, runs: toRuns(chosen.gone) }).catch(() => {})
    limits.taken(chosen.taken.size)
    const attempts = [...chosen.taken.keys()].flatMap((offset) => [
      offset,
      work.stateOf(offset).attempt,
    ])
    return { parts: partsOf(chosen.taken), attempts, ...given, durable }
  }

  /** Chooses up to `room` messages and reads them; those whose key is at its limit are parked. */
  async #choose(partition: Partition, work: WorkGroup, limits: WorkLimits, room: number) {
    const { clock, limits: most } = this.#broker.using
    const taken = new Map<number, Found>()
    const aside: number[] = []
    const gone: number[] = []
    let cursor = work.cursor
    for (let round = 0; round < roundsMax && taken.size < room; round++) {
      const { durable } = partition.log
      const start = Math.max(partition.log.start, cursor)
      // Over the limit only what is held already goes out.
      const until = work.held >= most.outstandingMax ? start : durable
      const chosen = work.choose(room - taken.size, { start, durable, until }, clock.now())
      if (chosen.offsets.length === 0) break
      cursor = Math.max(cursor, chosen.cursor)
      const found = await this.#read(partition, work, chosen.offsets)
      gone.push(...chosen.offsets.filter((offset) => !found.has(offset)))
      for (const [offset, record] of inOrder(work, chosen.offsets, found)) {
        if (admits(limits, record, offset, clock.monotonic())) taken.set(offset, record)
        else aside.push(offset)
      }
      if (!limits.byKey) break
    }
    return { taken, aside, gone, cursor }
  }

  async #read(partition: Partition, work: WorkGroup, offsets: readonly number[]) {
    try {
      return await findRecords(partition.log, offsets, this.#reads)
    } catch (error) {
      work.putBack(offsets)
      throw error
    }
  }

  async #limitsOf(partition: Partition, group: string): Promise<WorkLimits> {
    const { spec } = partition.state
    const name = `${spec.id}/${group}`
    const known = this.#limits.get(name)
    if (known) return known
    const limits = new WorkLimits(spec.options, spec.index, this.#broker.using.clock.monotonic())
    const leased = limits.byKey ? groupOf(partition, group).leasedOffsets() : []
    for (const [offset, { batch, place }] of await findRecords(partition.log, leased, this.#reads))
      limits.note(offset, keyAt(batch, place) ?? '')
    this.#limits.set(name, limits)
    return limits
  }

  /** The options of a topic have changed. */
  forgetLimits(id: number): void {
    for (const name of this.#limits.keys()) if (name.startsWith(`${id}/`)) this.#limits.delete(name)
  }

  /** Resolves when some of `ids` may have work for `group`, or after `waitMs`. */
  async wait(
    ids: readonly number[],
    group: string,
    waitMs: number,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const { clock } = this.#broker.using
    const endsAt = clock.monotonic() + Math.min(waitMs, timeDefaults.waitMsMax)
    for (;;) {
      if (ids.some((id) => this.#hasWork(id, group))) return true
      const leftMs = endsAt - clock.monotonic()
      if (leftMs <= 0) return false
      const nextMs = Math.min(...ids.map((id) => this.#nextMs(id, group)))
      await this.#broker.waiters.wait(ids, Math.min(leftMs, Math.max(1, nextMs)), signal)
    }
  }

  #hasWork(id: number, group: string): boolean {
    const { clock } = this.#broker.using
    const { state, log } = this.#broker.partition(id)
    const work = state.work.get(group)
    if (!work) return log.durable > log.start
    const limits = this.#limits.get(`${id}/${group}`)
    if (limits) {
      work.putBack(limits.ripen(clock.monotonic()))
      if (limits.room(work.leased, clock.monotonic()) < 1) return false
    }
    return work.hasWork(log, clock.now())
  }

  /** How long until something may change by itself, in ms. */
  #nextMs(id: number, group: string): number {
    const { clock } = this.#broker.using
    const due = this.#broker.partition(id).state.work.get(group)?.nextDueMs()
    const limited = this.#limits.get(`${id}/${group}`)?.waitMs(clock.monotonic())
    return Math.min(
      due === undefined ? Number.POSITIVE_INFINITY : due - clock.now(),
      limited ?? Number.POSITIVE_INFINITY,
    )
  }

  /** Takes back what is done. Durable when it resolves. */
  ack(tokens: readonly string[]): Promise<TokenOutcome[]> {
    return this.#settle(tokens, (id, group, offsets) =>
      this.#broker.event({ type: 'done', id, group, runs: toRuns(offsets) }),
    )
  }

  /** Takes back what must be handed out again, or goes to the dead letters. */
  async nack(tokens: readonly string[], options: NackOptions = {}): Promise<TokenOutcome[]> {
    const { delayMs } = options
    if (delayMs !== undefined && !(delayMs >= 0 && delayMs <= 2_592_000_000))
      throw fault('OPTION_INVALID', `delayMs is ${delayMs}, not 0 to 30 days`)
    return this.#settle(tokens, (id, group, offsets) => this.#back(id, group, offsets, options))
  }

  /** Lengthens leases to `leaseMs` from now. */
  async extend(tokens: readonly string[], leaseMs: number): Promise<TokenOutcome[]> {
    checkLeaseMs(leaseMs)
    const deadlineMs = this.#broker.using.clock.now() + leaseMs
    return this.#settle(
      tokens,
      (id, group, offsets) =>
        this.#broker.event({ type: 'extend', id, group, runs: toRuns(offsets), deadlineMs }),
      true,
    )
  }

  async #settle(
    tokens: readonly string[],
    store: (id: number, group: string, offsets: number[]) => Promise<void>,
    keeps = false,
  ): Promise<TokenOutcome[]> {
    const outcomes: TokenOutcome[] = []
    const valid = new Map<string, { id: number; group: string; offsets: Set<number> }>()
    for (const token of tokens) {
      const { id, offset, attempt, mark, group } = parseToken(token)
      const held = this.#broker.partition(id).state.work.get(group)?.stateOf(offset)
      const out = held?.state === 'leased' && held.attempt === attempt && held.mark === mark
      const cancelled = out && held.cancelled
      outcomes.push({ token, outcome: cancelled ? 'cancelled' : out ? 'done' : 'late' })
      if (!out || (cancelled && keeps)) continue
      const name = `${id}/${group}`
      const entry = valid.get(name) ?? { id, group, offsets: new Set() }
      entry.offsets.add(offset)
      valid.set(name, entry)
    }
    const writes = [...valid.values()].map(({ id, group, offsets }) => {
      const write = store(id, group, [...offsets])
      if (!keeps) this.#release(id, group, offsets)
      this.#broker.waiters.wake(id)
      return write
    })
    await Promise.all(writes)
    return outcomes
  }

  #release(id: number, group: string, offsets: Iterable<number>): void {
    const limits = this.#limits.get(`${id}/${group}`)
    const work = this.#broker.partition(id).state.work.get(group)
    if (!limits?.byKey || !work) return
    for (const offset of offsets) work.putBack(limits.release(offset))
  }

  /** Stores that messages are back: due after their delay or backoff, or dead after the last attempt. */
  #back(id: number, group: string, offsets: readonly number[], how: NackOptions): Promise<void> {
    const partition = this.#broker.partition(id)
    const { attemptsMax, deadLetter } = partition.state.spec.options
    const work = groupOf(partition, group)
    const now = this.#broker.using.clock.now()
    const isDead = (offset: number) =>
      how.dead === true || work.stateOf(offset).attempt >= attemptsMax
    const dead = offsets.filter(isDead)
    const pairs = offsets
      .filter((offset) => !isDead(offset))
      .flatMap((offset) => [
        offset,
        now + Math.ceil(how.delayMs ?? this.#backoff(partition, work.stateOf(offset).attempt)),
      ])
    if (deadLetter !== '')
      return this.#broker.event({
        type: 'back',
        id,
        group,
        pairs,
        dead: toRuns(dead),
        reason: (how.reason ?? 'its attempts are used up').slice(0, 1_000),
      })
    const dropped = this.#broker.event({ type: 'done', id, group, runs: toRuns(dead) })
    const back = this.#broker.event({ type: 'back', id, group, pairs, dead: [], reason: '' })
    return Promise.all([dropped, back]).then(() => {})
  }

  /** Drawn from [half, whole] of firstMs · 2^(attempt - 1), at most mostMs. */
  #backoff(partition: Partition, attempt: number): number {
    const { firstMs, mostMs } = partition.state.spec.options.backoff
    const whole = Math.min(mostMs, firstMs * 2 ** Math.min(attempt - 1, 40))
    return whole / 2 + (this.#broker.using.random.next() * whole) / 2
  }

  /** Takes back what workers have held for too long. */
  async sweep(): Promise<void> {
    const now = this.#broker.using.clock.now()
    const writes: Promise<void>[] = []
    for (const [id, state] of this.#broker.all) {
      if (state.role !== 'owner') continue
      for (const [group, work] of state.work) {
        const late = work.late(now)
        if (late.length === 0) continue
        writes.push(this.#back(id, group, late, {}))
        this.#release(id, group, late)
        this.#broker.waiters.wake(id)
      }
    }
    await Promise.all(writes)
  }

  /** Messages whose attempts are used up, at most `count`; they stay until `bury`. */
  async dead(count: number): Promise<DeadLetters[]> {
    const letters: DeadLetters[] = []
    for (const [id, state] of this.#broker.all) {
      if (state.role !== 'owner') continue
      for (const [group, work] of state.work) {
        const offsets = [...work.dead].slice(0, count)
        if (offsets.length === 0) continue
        const { log } = this.#broker.partition(id)
        const found = await findRecords(log, offsets, this.#reads)
        const { topic, index, options } = state.spec
        const to = options.deadLetter
        const missing = offsets.filter((offset) => !found.has(offset))
        const about = offsets.map((offset) => ({ offset, ...work.lastWords(offset) }))
        letters.push({ id, group, topic, index, to, missing, about, parts: partsOf(found) })
      }
    }
    return letters
  }

  /** Dead messages have been stored elsewhere. */
  async bury(id: number, group: string, offsets: readonly number[]): Promise<void> {
    const { dead } = groupOf(this.#broker.partition(id), group)
    const runs = toRuns(offsets.filter((offset) => dead.has(offset)))
    await this.#broker.event({ type: 'done', id, group, runs })
  }

  /** Takes a message from every group; see QueueEngine. */
  async cancel(
    id: number,
    target: { readonly offset: number } | { readonly dedupeKey: string },
  ): Promise<'waiting' | 'leased' | 'gone'> {
    const { state, log } = this.#broker.partition(id)
    const now = this.#broker.using.clock.now()
    const offset = 'offset' in target ? target.offset : state.dedupe.find(target.dedupeKey, now)
    if (offset === undefined || !(offset >= log.start && offset < log.durable)) return 'gone'
    const states = [...state.work.values()].map((work) => work.stateOf(offset))
    if (states.every((one) => one.state === 'done' || ('cancelled' in one && one.cancelled)))
      return 'gone'
    await this.#broker.event({ type: 'cancel', id, offset })
    return states.some((one) => one.state === 'leased') ? 'leased' : 'waiting'
  }

  /** The next messages, not taken. */
  async peek(id: number, group: string, count: number): Promise<FoundBatches> {
    const { state, log } = this.#broker.partition(id)
    const now = this.#broker.using.clock.now()
    const name = state.work.has(group) ? group : [...state.work.keys()][0]
    const work = state.work.get(name ?? '')
    if (!work) return { parts: [], attempts: [] }
    const { offsets } = work.choose(Math.min(count, 1_000), log, now)
    work.putBack(offsets)
    const found = await findRecords(log, offsets, this.#reads)
    const attempts = offsets.filter((one) => found.has(one)).flatMap((one) => [one, 0])
    return { parts: partsOf(found), attempts }
  }
}

function groupOf({ state }: Partition, group: string): WorkGroup {
  const work = state.work.get(group)
  if (!work) throw fault('NOT_OWNER', `group ${group} has moved with its partition`)
  return work
}

function inOrder(
  work: WorkGroup,
  offsets: readonly number[],
  found: ReadonlyMap<number, Found>,
): [number, Found][] {
  return offsets.flatMap((offset) => {
    const record = found.get(offset)
    return record && isFree(work, offset) ? [[offset, record] as [number, Found]] : []
  })
}

/** Not so when it was cancelled or purged while it was read. */
function isFree(work: WorkGroup, offset: number): boolean {
  const { state } = work.stateOf(offset)
  return state === 'untouched' || state === 'waiting'
}

function admits(limits: WorkLimits, record: Found, offset: number, nowMs: number): boolean {
  if (!limits.byKey) return true
  const key = keyAt(record.batch, record.place)
  return key === undefined || limits.admit(offset, key, nowMs)
}
