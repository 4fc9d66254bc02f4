import type { Clock } from '@drover/kernel'
import type { CallbackOptions } from './options.ts'

interface Receiver {
  failures: number
  restsUntilMs: number
}

/** Receivers that are remembered; the one that failed the longest ago is forgotten first. */
const receiversMax = 10_000

/** Leaves receivers alone that keep failing. One attempt after each rest tells whether they are back. */
export class ReceiverBreaker {
  readonly #receivers = new Map<string, Receiver>()
  readonly #clock: Clock
  readonly #options: CallbackOptions

  constructor(clock: Clock, options: CallbackOptions) {
    this.#clock = clock
    this.#options = options
  }

  /** How long the receiver at `origin` rests still, in ms; 0 when it may be called. */
  restMs(origin: string): number {
    const restsUntilMs = this.#receivers.get(origin)?.restsUntilMs ?? 0
    return Math.max(0, restsUntilMs - this.#clock.monotonic())
  }

  succeeded(origin: string): void {
    this.#receivers.delete(origin)
  }

  failed(origin: string): void {
    const { failuresMax, restFirstMs, restMostMs } = this.#options
    const failures = (this.#receivers.get(origin)?.failures ?? 0) + 1
    const over = failures - failuresMax
    const restMs = over < 0 ? 0 : Math.min(restMostMs, restFirstMs * 2 ** Math.min(over, 30))
    const restsUntilMs = restMs === 0 ? 0 : this.#clock.monotonic() + restMs
    this.#receivers.delete(origin)
    this.#receivers.set(origin, { failures, restsUntilMs })
    const oldest = this.#receivers.keys().next()
    if (this.#receivers.size > receiversMax && !oldest.done) this.#receivers.delete(oldest.value)
  }
}
