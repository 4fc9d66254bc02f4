import type { Clock } from '@drover/kernel'
import type { CallbackOptions } from './options.ts'

interface Receiver {
  /** In a row. */
  failures: number
  restsUntilMs: number
  active: number
  /** Where the last one that had to wait was put. */
  queuedUntilMs: number
  /** How long its answers take, later ones counting more; undefined before the first. */
  tookMs: number | undefined
}

/** Receivers that are remembered; the one that was called the longest ago is forgotten first. */
const receiversMax = 10_000
/** A receiver is thought to take at least so long for one callback, in ms. */
const tookMsLeast = 50
/**
 * Nobody is sent farther away than this, in ms: a guess made while the receiver was slow must not hold
 * what could go now.
 */
const waitMsMost = 5_000

/**
 * Decides who may be called now. A receiver that keeps failing rests, longer each time, and one call
 * after each rest tells whether it is back; a slow one has only so many calls at one time, so that it
 * takes no place from the others.
 */
export class Receivers {
  readonly #receivers = new Map<string, Receiver>()
  readonly #clock: Clock
  readonly #options: CallbackOptions

  constructor(clock: Clock, options: CallbackOptions) {
    this.#clock = clock
    this.#options = options
  }

  /** Begins a call to `origin`, to be ended by `leave`: 0; or else in how many ms to try again. */
  enter(origin: string): number {
    const receiver = this.#receivers.get(origin) ?? unknown()
    this.#remember(origin, receiver)
    const nowMs = this.#clock.monotonic()
    if (receiver.restsUntilMs > nowMs) return receiver.restsUntilMs - nowMs
    const { failuresMax, receiverConcurrency } = this.#options
    const most = receiver.failures >= failuresMax ? 1 : receiverConcurrency
    if (receiver.active < most) {
      receiver.active++
      return 0
    }
    // Those that wait come back one after the other, as fast as the receiver answers.
    const eachMs = Math.max(tookMsLeast, receiver.tookMs ?? 0) / most
    const nextMs = Math.max(nowMs, receiver.queuedUntilMs) + eachMs
    receiver.queuedUntilMs = Math.min(nextMs, nowMs + waitMsMost)
    return receiver.queuedUntilMs - nowMs
  }

  /** Ends a call that took `tookMs`. */
  leave(origin: string, how: 'answered' | 'failed', tookMs: number): void {
    const receiver = this.#receivers.get(origin)
    if (!receiver) return
    receiver.active = Math.max(0, receiver.active - 1)
    receiver.tookMs = receiver.tookMs === undefined ? tookMs : (3 * receiver.tookMs + tookMs) / 4
    if (how === 'answered') {
      receiver.failures = 0
      return
    }
    const { failuresMax, restFirstMs, restMostMs } = this.#options
    const over = ++receiver.failures - failuresMax
    if (over < 0) return
    const restMs = Math.min(restMostMs, restFirstMs * 2 ** Math.min(over, 30))
    receiver.restsUntilMs = this.#clock.monotonic() + restMs
  }

  #remember(origin: string, receiver: Receiver): void {
    this.#receivers.delete(origin)
    this.#receivers.set(origin, receiver)
    const oldest = this.#receivers.keys().next()
    if (this.#receivers.size > receiversMax && !oldest.done) this.#receivers.delete(oldest.value)
  }
}

function unknown(): Receiver {
  return { failures: 0, restsUntilMs: 0, active: 0, queuedUntilMs: 0, tookMs: undefined }
}
