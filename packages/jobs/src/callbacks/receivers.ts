import type { Clock } from '@drover/kernel'
import type { CallbackOptions } from './options.ts'

interface Receiver {
  /** In a row. */
  failures: number
  restsUntilMs: number
  active: number
  readonly waiting: (() => void)[]
}

/** Receivers that are remembered; one that is idle and was called the longest ago is forgotten first. */
const receiversMax = 10_000
/** Receivers that `closed` names. */
const closedMax = 500

/**
 * Decides who may be called now. A receiver that keeps failing rests, longer each time, and one call
 * after each rest tells whether it is back; a slow one has only so many calls at one time, so that it
 * takes no place from the others.
 */
export class Receivers {
  readonly #receivers = new Map<string, Receiver>()
  readonly #clock: Clock
  readonly #options: CallbackOptions
  #active = 0

  /** Calls that are under way. */
  get active(): number {
    return this.#active
  }

  constructor(clock: Clock, options: CallbackOptions) {
    this.#clock = clock
    this.#options = options
  }

  /** Those for which nothing should be claimed now: they rest, or have enough to do. */
  closed(): readonly string[] {
    const found: string[] = []
    for (const [origin, receiver] of this.#receivers) {
      if (found.length >= closedMax) break
      const isBusy = receiver.waiting.length > 0 || receiver.active >= this.#most(receiver)
      if (isBusy || this.#restMs(receiver) > 0) found.push(origin)
    }
    return found
  }

  /**
   * Waits for a call to `origin` to be let through, to be ended by `leave`: 0; or else, because it
   * rests, in how many ms to try again. Throws the signal's reason.
   */
  async enter(origin: string, signal: AbortSignal): Promise<number> {
    signal.throwIfAborted()
    const receiver = this.#at(origin)
    while (receiver.active >= this.#most(receiver) && this.#restMs(receiver) === 0) {
      await waitIn(receiver.waiting, signal)
      signal.throwIfAborted()
    }
    const restMs = this.#restMs(receiver)
    if (restMs > 0) return restMs
    receiver.active++
    this.#active++
    return 0
  }

  /** Ends a call. */
  leave(origin: string, how: 'answered' | 'failed'): void {
    const receiver = this.#at(origin)
    receiver.active--
    this.#active--
    if (how === 'answered') receiver.failures = 0
    else this.#fail(receiver)
    // Those that wait for one that rests now are told so.
    const woken = this.#restMs(receiver) > 0 ? receiver.waiting.length : 1
    for (const wake of receiver.waiting.splice(0, woken)) wake()
  }

  #fail(receiver: Receiver): void {
    const { failuresMax, restFirstMs, restMostMs } = this.#options
    const over = ++receiver.failures - failuresMax
    if (over < 0) return
    const restMs = Math.min(restMostMs, restFirstMs * 2 ** Math.min(over, 30))
    receiver.restsUntilMs = this.#clock.monotonic() + restMs
  }

  #most({ failures }: Receiver): number {
    return failures >= this.#options.failuresMax ? 1 : this.#options.receiverConcurrency
  }

  #restMs({ restsUntilMs }: Receiver): number {
    return Math.max(0, restsUntilMs - this.#clock.monotonic())
  }

  #at(origin: string): Receiver {
    const known = this.#receivers.get(origin)
    const receiver = known ?? { failures: 0, restsUntilMs: 0, active: 0, waiting: [] }
    this.#receivers.delete(origin)
    this.#receivers.set(origin, receiver)
    if (known === undefined && this.#receivers.size > receiversMax) this.#forgetOne()
    return receiver
  }

  #forgetOne(): void {
    for (const [origin, { active, waiting }] of this.#receivers)
      if (active === 0 && waiting.length === 0) {
        this.#receivers.delete(origin)
        return
      }
  }
}

/** Waits in line until somebody leaves, or the signal aborts. */
function waitIn(line: (() => void)[], signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      signal.removeEventListener('abort', giveUp)
      resolve()
    }
    const giveUp = () => {
      line.splice(line.indexOf(end), 1)
      resolve()
    }
    line.push(end)
    signal.addEventListener('abort', giveUp, { once: true })
  })
}
