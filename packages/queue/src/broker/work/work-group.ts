import { Heap } from './heap.ts'
import { eachOffset, type Runs } from './runs.ts'

/** One message that is not simply "before the cursor and done" or "from the cursor on and untouched". */
interface Held {
  /** How often it was handed out. */
  attempt: number
  /** Of the latest of these; see tokens.ts. */
  mark: number
  state: 'waiting' | 'leased' | 'dead'
  /** Waiting: when it is due. Leased: the deadline. In ms since 1970. */
  atMs: number
  readonly priority: number
  /** Whoever has it is told so; nobody gets it again. */
  cancelled: boolean
  /** Why it is dead. */
  reason?: string
}

/** A held message as it stands in a snapshot. */
type KeptHeld = readonly [
  ...[number, number, Held['state'], number, number, boolean],
  ...[reason?: string | null, mark?: number],
]

/** Nobody has had it yet. */
const fresh: Held = {
  ...{ attempt: 0, mark: 0, state: 'waiting', atMs: 0, priority: 0, cancelled: false },
}

/** A whole group as plain JSON. */
export interface KeptWorkGroup {
  readonly cursor: number
  readonly held: readonly KeptHeld[]
}

interface Place {
  readonly offset: number
  readonly atMs: number
  readonly priority: number
}

/** The part of a log that can be read. */
export interface Bounds {
  readonly start: number
  readonly durable: number
  /** Untouched messages from here on stay untouched. Default `durable`. */
  readonly until?: number
}

/**
 * What one group of workers has done of one partition. Everything before the cursor is done, but what
 * `held` says; everything from the cursor on is untouched, but what `held` says.
 *
 *   untouched ─lease─▶ leased ─ack─▶ done
 *                        │ ▲
 *            nack, late  ▼ │ lease
 *                      waiting (due at some time) ──attempts used up──▶ dead ──moved away──▶ done
 *
 * The methods that begin with `apply` are called for events of the log, live and at recovery, so
 * they decide nothing: no clock, no chance.
 */
export class WorkGroup {
  cursor: number
  readonly #held = new Map<number, Held>()
  /** These three only find things faster; an entry counts if `held` still says the same. */
  readonly #ready = new Heap<Place>(
    (one, other) =>
      one.priority > other.priority ||
      (one.priority === other.priority && one.offset < other.offset),
  )
  readonly #due = new Heap<Place>((one, other) => one.atMs < other.atMs)
  readonly #deadlines = new Heap<Place>((one, other) => one.atMs < other.atMs)
  /** Cancelled before the cursor came by. */
  readonly #dropped = new Set<number>()
  leased = 0
  readonly dead = new Set<number>()

  constructor(start: number) {
    this.cursor = start
  }

  static restore(kept: KeptWorkGroup): WorkGroup {
    const group = new WorkGroup(kept.cursor)
    for (const [offset, attempt, state, atMs, priority, cancelled, reason, mark = 0] of kept.held)
      group.#hold(offset, {
        ...{ attempt, mark, state, atMs, priority, cancelled },
        ...(reason === undefined || reason === null ? {} : { reason }),
      })
    return group
  }

  keep(): KeptWorkGroup {
    return {
      cursor: this.cursor,
      held: [...this.#held].map(([offset, held]): KeptHeld => {
        const { attempt, mark, state, atMs, priority, cancelled, reason = null } = held
        return [offset, attempt, state, atMs, priority, cancelled, reason, mark]
      }),
    }
  }

  get held(): number {
    return this.#held.size
  }

  leasedOffsets(): number[] {
    return [...this.#held].filter(([, held]) => held.state === 'leased').map(([offset]) => offset)
  }

  /** The first offset that is not done. */
  get floor(): number {
    let floor = this.cursor
    for (const offset of this.#held.keys()) if (offset < floor) floor = offset
    return floor
  }

  /** Holds a message with a priority or a due time, so that it is not met in its turn. */
  applySpecial(offset: number, priority: number, dueMs: number): void {
    if (offset < this.cursor || this.#held.has(offset)) return
    this.#hold(offset, { ...fresh, atMs: dueMs, priority })
  }

  /** Messages of `runs` were handed out until `deadlineMs`; those of `aside` were passed over. */
  applyLease(cursor: number, runs: Runs, deadlineMs: number, aside: Runs, mark = 0): void {
    this.cursor = Math.max(this.cursor, cursor)
    for (const offset of this.#dropped) if (offset < cursor) this.#forget(offset)
    eachOffset(aside, (offset) => {
      if (!this.#held.has(offset)) this.#hold(offset, { ...fresh })
    })
    eachOffset(runs, (offset) => {
      const held = this.#held.get(offset) ?? { ...fresh }
      const attempt = held.attempt + 1
      this.#hold(offset, { ...held, attempt, mark, atMs: deadlineMs, state: 'leased' })
    })
  }

  applyDone(runs: Runs): void {
    eachOffset(runs, (offset) => this.#forget(offset))
  }

  /** Handed back: due again at the times given, in pairs of offset and ms. */
  applyBack(pairs: readonly number[]): void {
    for (let at = 0; at + 1 < pairs.length; at += 2) {
      const [offset, dueMs] = [pairs[at] ?? 0, pairs[at + 1] ?? 0]
      const held = this.#held.get(offset)
      if (!held) continue
      if (held.cancelled) this.#forget(offset)
      else this.#hold(offset, { ...held, state: 'waiting', atMs: dueMs })
    }
  }

  applyDead(runs: Runs, reason: string): void {
    eachOffset(runs, (offset) => {
      const held = this.#held.get(offset)
      if (held?.cancelled) this.#forget(offset)
      else if (held) this.#hold(offset, { ...held, state: 'dead', reason })
    })
  }

  applyExtend(runs: Runs, deadlineMs: number): void {
    eachOffset(runs, (offset) => {
      const held = this.#held.get(offset)
      if (held?.state === 'leased') this.#hold(offset, { ...held, atMs: deadlineMs })
    })
  }

  applyCancel(offset: number): void {
    const held = this.#held.get(offset)
    if (held?.state === 'leased') held.cancelled = true
    else if (offset < this.cursor) this.#forget(offset)
    else {
      // Met again when the cursor comes by, and dropped then.
      this.#hold(offset, { ...fresh, cancelled: true })
    }
  }

  /** Everything before `offset` is gone, whatever became of it. */
  applyStart(offset: number): void {
    for (const one of [...this.#held.keys()]) if (one < offset) this.#forget(one)
    this.cursor = Math.max(this.cursor, offset)
  }

  #hold(offset: number, held: Held): void {
    const before = this.#held.get(offset)
    if (before?.state === 'leased') this.leased--
    this.dead.delete(offset)
    if (held.cancelled && held.state === 'waiting') this.#dropped.add(offset)
    this.#held.set(offset, held)
    const place = { offset, atMs: held.atMs, priority: held.priority }
    if (held.state === 'leased') {
      this.leased++
      this.#deadlines.push(place)
    } else if (held.state === 'dead') this.dead.add(offset)
    else if (!held.cancelled) this.#due.push(place)
  }

  #forget(offset: number): void {
    if (this.#held.get(offset)?.state === 'leased') this.leased--
    this.dead.delete(offset)
    this.#dropped.delete(offset)
    this.#held.delete(offset)
  }

  /** Says what became of a message: its state and attempt; `untouched` or `done` when not held. */
  stateOf(offset: number) {
    const held = this.#held.get(offset)
    if (!held) return { state: offset < this.cursor ? 'done' : 'untouched', attempt: 0 } as const
    if (held.cancelled && held.state !== 'leased') return { state: 'done', attempt: 0 } as const
    return held
  }

  /**
   * Takes up to `count` messages out of the finders: first what is held, due and before `durable`, by
   * priority; then untouched ones from the cursor. The caller leases them or gives them `putBack`.
   */
  choose(count: number, bounds: Bounds, nowMs: number): { offsets: number[]; cursor: number } {
    const { durable } = bounds
    this.#ripen(nowMs)
    const offsets: number[] = []
    const notYet: Place[] = []
    while (offsets.length < count) {
      const place = this.#ready.pop()
      if (!place) break
      if (!this.#isWaiting(place)) continue
      if (place.offset >= durable) notYet.push(place)
      else offsets.push(place.offset)
    }
    for (const place of notYet) this.#ready.push(place)
    let cursor = Math.max(this.cursor, bounds.start)
    const { until = durable } = bounds
    while (offsets.length < count && cursor < until) {
      if (!this.#held.has(cursor)) offsets.push(cursor)
      cursor++
    }
    return { offsets, cursor }
  }

  /** Makes chosen messages findable again. Untouched ones need nothing. */
  putBack(offsets: readonly number[]): void {
    for (const offset of offsets) {
      const held = this.#held.get(offset)
      if (held?.state === 'waiting') this.#ready.push({ offset, ...held })
    }
  }

  /** Leased messages whose deadline has passed. Each is returned until an event changes it. */
  late(nowMs: number): number[] {
    const late: number[] = []
    for (let place = this.#deadlines.peek(); place && place.atMs <= nowMs; ) {
      this.#deadlines.pop()
      const held = this.#held.get(place.offset)
      if (held?.state === 'leased' && held.atMs === place.atMs) late.push(place.offset)
      place = this.#deadlines.peek()
    }
    for (const offset of late) {
      const held = this.#held.get(offset)
      if (held) this.#deadlines.push({ offset, ...held })
    }
    return late
  }

  /** What a dead message takes along. */
  lastWords(offset: number): { attempts: number; reason: string } {
    const held = this.#held.get(offset)
    return { attempts: held?.attempt ?? 0, reason: held?.reason ?? '' }
  }

  /** Holds when `choose` would find something now. */
  hasWork({ start, durable }: Bounds, nowMs: number): boolean {
    this.#ripen(nowMs)
    for (let place = this.#ready.peek(); place; place = this.#ready.peek()) {
      if (this.#isWaiting(place)) break
      this.#ready.pop()
    }
    const top = this.#ready.peek()
    if (top && top.offset < durable) return true
    let cursor = Math.max(this.cursor, start)
    while (cursor < durable && this.#held.has(cursor)) cursor++
    return cursor < durable
  }

  /** When the next waiting message is due; undefined when none waits. */
  nextDueMs(): number | undefined {
    return this.#due.peek()?.atMs
  }

  counts(end: number, nowMs: number): { ready: number; leased: number; delayed: number } {
    let delayed = 0
    let waiting = 0
    let ahead = 0
    for (const [offset, held] of this.#held) {
      if (offset >= this.cursor) ahead++
      if (held.state === 'waiting' && !held.cancelled) {
        if (held.atMs > nowMs) delayed++
        else waiting++
      }
    }
    const untouched = Math.max(0, end - this.cursor - ahead)
    return { ready: untouched + waiting, leased: this.leased, delayed }
  }

  #ripen(nowMs: number): void {
    for (let place = this.#due.peek(); place && place.atMs <= nowMs; place = this.#due.peek()) {
      this.#due.pop()
      if (this.#isWaiting(place)) this.#ready.push(place)
    }
  }

  #isWaiting(place: Place): boolean {
    const held = this.#held.get(place.offset)
    return held?.state === 'waiting' && !held.cancelled && held.atMs === place.atMs
  }
}
