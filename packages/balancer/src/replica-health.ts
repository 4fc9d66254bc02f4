import type { Clock } from '@drover/kernel'
import { ejectionMs, nextTimes } from './ejection.ts'
import type { EjectionModel } from './model.ts'

/** Where a replica stands; see the picture above `ReplicaHealth`. */
export type ReplicaState =
  | 'starting'
  | 'checking'
  | 'ready'
  | 'slow-start'
  | 'suspect'
  | 'ejected'
  | 'draining'
  | 'stopped'

/** One step of a replica from state to state. */
export interface Transition {
  readonly atMs: number
  readonly replica: string
  readonly from: ReplicaState
  readonly to: ReplicaState
  /** In words, with the figures that decided. */
  readonly reason: string
}

/** How health is judged; may change while a replica lives. */
export interface HealthRules {
  readonly rise: number
  readonly fall: number
  readonly intervalMs: number
  readonly ejection: EjectionModel
}

/** What a replica's health must ask of the service around it. */
export interface HealthSurroundings {
  readonly clock: Clock
  /** Holds when the service can spare one more replica for failed requests. */
  mayEject(): boolean
  /** How long the replica's share grows now when it comes in, in ms; 0: not at all. */
  rampMs(): number
  onTransition(transition: Transition): void
  /** The replica failed its check `fall` times (or twice as often, ...). */
  onUnfit(reason: string): void
}

/** How an active check failed. */
export interface CheckFailure {
  readonly reason: string
  /** Nobody listens on the port. */
  readonly closed: boolean
}

const historyMax = 20
/** One failed request may be bad luck; from this many in a row on a replica is looked at. */
const suspiciousFailures = 2

/**
 * The health of one replica.
 *
 *   starting ──▶ checking ──▶ slow-start ──▶ ready ◀──▶ suspect ──▶ ejected
 *      │                      ▲     ▲          ▲                      │
 *      └──────────────────────┼─────┼──────────┘                      │
 *                             │     └─────────────────────────────────┘
 *   any ──▶ draining ──▶ stopped
 *
 * - starting: it is known, but nobody listens on its port yet. No requests. It is checked quickly.
 *   Left for checking when the port answers, or when the replica itself says that it is ready.
 * - checking: somebody listens, but `rise` checks in a row have not passed yet. No requests.
 *   Left for slow-start or ready when they have.
 * - slow-start: gets requests, with a share that grows. Left for ready when the window is over.
 * - ready: gets its full share.
 * - suspect: gets requests still, but a check failed, a connection was refused, or two requests
 *   failed in a row, so it is checked at once and more often. Left for ready when a check passes
 *   (and no request failed during the last interval); for ejected when `fall` checks failed in a
 *   row, when its port is closed, or when `failuresMax` requests failed in a row and the service
 *   can spare it.
 * - ejected: gets no requests (but see panic mode). Left for slow-start or ready when `rise` checks
 *   in a row passed; after failed requests only when its time out is over too, which grows with
 *   each such ejection in a row.
 * - draining: somebody said so. It ends what it has and gets nothing new; it is not checked. Left
 *   for stopped when it has ended, for checking when it is resumed.
 * - stopped: it has ended or left the configuration. Final.
 *
 * The state is changed by `#move` only, which keeps the history and tells the reason.
 */
export class ReplicaHealth {
  readonly id: string
  readonly #around: HealthSurroundings
  readonly #history: Transition[] = []
  #rules: HealthRules
  #state: ReplicaState = 'starting'
  #reason = 'new'
  #sinceMs: number
  #passedInARow = 0
  #failedInARow = 0
  /** Requests failed in a row, and when the last one did, in monotonic ms. */
  #failures = 0
  #failedAtMs = Number.NEGATIVE_INFINITY
  #ejections: { times: number; wellSinceMs: number }
  #ejectedUntilMs = 0
  /** The slow start: when it began, in monotonic ms, and how long it lasts. */
  #rampFromMs = 0
  #rampMs = 0
  /** False once a check found the port closed; such a replica is of no use even in a panic. */
  #listening = false

  constructor(id: string, rules: HealthRules, around: HealthSurroundings) {
    this.id = id
    this.#rules = rules
    this.#around = around
    this.#sinceMs = around.clock.now()
    this.#ejections = { times: 0, wellSinceMs: around.clock.monotonic() }
  }

  get state(): ReplicaState {
    return this.#state
  }

  get reason(): string {
    return this.#reason
  }

  /** Wall time of the last transition. */
  get sinceMs(): number {
    return this.#sinceMs
  }

  get history(): readonly Transition[] {
    return this.#history
  }

  get listening(): boolean {
    return this.#listening
  }

  /** Holds when it gets new requests in the ordinary way. */
  get available(): boolean {
    return this.#state === 'ready' || this.#state === 'slow-start' || this.#state === 'suspect'
  }

  /** Holds while it is on its way in for the first time. */
  get coming(): boolean {
    return this.#state === 'starting' || this.#state === 'checking'
  }

  /** Ms until an ejection's time is over; 0 for any other state. */
  get ejectedForMs(): number {
    if (this.#state !== 'ejected') return 0
    return Math.max(0, this.#ejectedUntilMs - this.#around.clock.monotonic())
  }

  /** How far slow start has come: 0 to 1. */
  get rampedShare(): number {
    if (this.#rampMs === 0) return 1
    const elapsedMs = this.#around.clock.monotonic() - this.#rampFromMs
    return Math.min(1, elapsedMs / this.#rampMs)
  }

  /** Judges by `rules` from now on; the state stays. */
  follow(rules: HealthRules): void {
    this.#rules = rules
  }

  checkPassed(took: string): void {
    this.#passedInARow++
    this.#failedInARow = 0
    this.#listening = true
    const passed = `${counted(this.#passedInARow, 'check')} passed, the last in ${took}`
    if (this.coming && this.#passedInARow >= this.#rules.rise) this.#enter(passed)
    else if (this.#state === 'starting') this.#move('checking', passed)
    else if (this.#state === 'suspect' && this.#quietLately()) this.#clear(passed)
    else if (this.#state === 'ejected') this.#reconsider(passed)
  }

  checkFailed({ reason, closed }: CheckFailure): void {
    this.#passedInARow = 0
    this.#failedInARow++
    this.#listening = !closed
    const failed = `check failed (${this.#failedInARow} of ${this.#rules.fall}): ${reason}`
    const inARow = `${counted(this.#failedInARow, 'check')} failed in a row: ${reason}`
    if (this.#state === 'starting' && closed) this.#reason = `nobody listens yet: ${reason}`
    else if (this.#state === 'starting') this.#move('checking', failed)
    else if (this.#state === 'ready' || this.#state === 'slow-start') this.#move('suspect', failed)
    if (this.#state === 'suspect') {
      if (closed) this.#move('ejected', `nobody listens: ${reason}`)
      else if (this.#failedInARow >= this.#rules.fall) this.#move('ejected', inARow)
    }
    if (this.#state === 'ejected' && this.#failedInARow % this.#rules.fall === 0)
      this.#around.onUnfit(inARow)
  }

  /** The replica itself says that it is ready, which opens the way to its first check only. */
  saidReady(): void {
    if (this.#state === 'starting') this.#move('checking', 'it said that it is ready')
  }

  requestAnswered(): void {
    this.#failures = 0
  }

  /** A request failed; `refused` when the connection could not be made at all. */
  requestFailed(reason: string, refused: boolean): void {
    this.#failures++
    this.#failedAtMs = this.#around.clock.monotonic()
    const { failuresMax } = this.#rules.ejection
    const isSuspicious = refused || this.#failures >= suspiciousFailures
    const failed = `${counted(this.#failures, 'request')} failed in a row: ${reason}`
    if (isSuspicious && (this.#state === 'ready' || this.#state === 'slow-start'))
      this.#move('suspect', failed)
    const isEnough = failuresMax > 0 && this.#failures >= failuresMax
    if (isEnough && this.#state === 'suspect' && this.#around.mayEject()) this.#eject(failed)
  }

  /** Ends the slow start when its window is over. */
  settle(): void {
    if (this.#state !== 'slow-start' || this.rampedShare < 1) return
    this.#move('ready', `slow start of ${this.#rampMs} ms is over`)
  }

  drain(reason: string): void {
    if (this.#state !== 'draining' && this.#state !== 'stopped') this.#move('draining', reason)
  }

  resume(reason: string): void {
    if (this.#state !== 'draining') return
    this.#passedInARow = 0
    this.#move('checking', reason)
  }

  stop(reason: string): void {
    if (this.#state !== 'stopped') this.#move('stopped', reason)
  }

  /** From suspect back to where it was. */
  #clear(reason: string): void {
    this.#move(this.rampedShare < 1 ? 'slow-start' : 'ready', reason)
  }

  #reconsider(passed: string): void {
    if (this.ejectedForMs === 0 && this.#passedInARow >= this.#rules.rise) this.#enter(passed)
  }

  /** Brings the replica in, with a growing share if the service wants that. */
  #enter(reason: string): void {
    const nowMs = this.#around.clock.monotonic()
    this.#failures = 0
    this.#ejections = { ...this.#ejections, wellSinceMs: nowMs }
    this.#rampFromMs = nowMs
    this.#rampMs = this.#around.rampMs()
    this.#move(this.#rampMs > 0 ? 'slow-start' : 'ready', reason)
  }

  /** Puts the replica out for failed requests, for a time. */
  #eject(reason: string): void {
    const nowMs = this.#around.clock.monotonic()
    const times = nextTimes(this.#ejections, nowMs, this.#rules.ejection)
    const lastsMs = ejectionMs(times, this.#rules.ejection)
    this.#ejections = { times, wellSinceMs: nowMs }
    this.#ejectedUntilMs = nowMs + lastsMs
    this.#passedInARow = 0
    this.#move('ejected', `${reason}; out for ${lastsMs} ms (${times} in a row)`)
  }

  #quietLately(): boolean {
    return this.#around.clock.monotonic() - this.#failedAtMs >= this.#rules.intervalMs
  }

  /** The one place where the state changes. */
  #move(to: ReplicaState, reason: string): void {
    const atMs = this.#around.clock.now()
    const transition: Transition = { atMs, replica: this.id, from: this.#state, to, reason }
    this.#state = to
    this.#reason = reason
    this.#sinceMs = atMs
    this.#history.push(transition)
    if (this.#history.length > historyMax) this.#history.shift()
    this.#around.onTransition(transition)
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
