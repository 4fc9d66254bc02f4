import type { Clock } from '@drover/kernel'
import { fault } from '../errors.ts'

/** How many fetches run at one time, and how far apart. */
export interface HostGateOptions {
  readonly hostConcurrency: number
  readonly concurrency: number
  readonly hostWaitingMax: number
}

interface Waiter {
  readonly delayMs: number
  readonly go: () => void
}

interface Host {
  active: number
  /** No fetch begins before this monotonic time. */
  freeAtMs: number
  readonly waiting: Waiter[]
  timer: (() => void) | undefined
}

/**
 * Lets fetches through: at most so many to one host and in all, and at one host no sooner than its
 * delay after the one before. Hosts that are at rest are forgotten.
 */
export class HostGate {
  readonly #hosts = new Map<string, Host>()
  readonly #clock: Clock
  readonly #options: HostGateOptions
  #active = 0

  constructor(options: HostGateOptions, clock: Clock) {
    this.#options = options
    this.#clock = clock
  }

  /** How many hosts are remembered. */
  get hosts(): number {
    return this.#hosts.size
  }

  /**
   * Resolves when a fetch from `host` may begin, to what must be called when it has ended. Throws
   * HOST_BUSY when too many wait, and the signal's reason when it aborts first.
   */
  async enter(host: string, delayMs: number, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted()
    const state = this.#host(host)
    if (state.waiting.length >= this.#options.hostWaitingMax)
      throw fault('HOST_BUSY', `${state.waiting.length} fetches wait for ${host}`)
    const turn = Promise.withResolvers<void>()
    const waiter = { delayMs, go: turn.resolve }
    const leave = () => {
      const index = state.waiting.indexOf(waiter)
      if (index < 0) return
      state.waiting.splice(index, 1)
      turn.reject(signal.reason)
      this.#advance(host, state)
    }
    state.waiting.push(waiter)
    signal.addEventListener('abort', leave, { once: true })
    this.#advance(host, state)
    try {
      await turn.promise
    } finally {
      signal.removeEventListener('abort', leave)
    }
    return this.#exit(host, state)
  }

  #host(name: string): Host {
    const known = this.#hosts.get(name)
    if (known) return known
    const state: Host = { active: 0, freeAtMs: 0, waiting: [], timer: undefined }
    this.#hosts.set(name, state)
    return state
  }

  #exit(host: string, state: Host): () => void {
    let left = false
    return () => {
      if (left) return
      left = true
      state.active--
      const wasFull = this.#active-- === this.#options.concurrency
      if (wasFull) this.#advanceAll(host, state)
      else this.#advance(host, state)
    }
  }

  /** The place that has become free goes round: the host that had it is the last to get it again. */
  #advanceAll(host: string, state: Host): void {
    this.#hosts.delete(host)
    this.#hosts.set(host, state)
    for (const [name, other] of this.#hosts) {
      if (this.#active >= this.#options.concurrency) break
      this.#advance(name, other)
    }
    this.#setTimer(host, state)
  }

  /** Lets in whom it can at this host, and sets the timer for the next. */
  #advance(host: string, state: Host): void {
    const { hostConcurrency, concurrency } = this.#options
    while (state.active < hostConcurrency && this.#active < concurrency) {
      const nowMs = this.#clock.monotonic()
      if (state.waiting.length === 0 || nowMs < state.freeAtMs) break
      const waiter = state.waiting.shift()
      state.active++
      this.#active++
      state.freeAtMs = nowMs + (waiter?.delayMs ?? 0)
      waiter?.go()
    }
    this.#setTimer(host, state)
  }

  #setTimer(host: string, state: Host): void {
    state.timer?.()
    state.timer = undefined
    const leftMs = state.freeAtMs - this.#clock.monotonic()
    if (leftMs > 0) state.timer = this.#clock.after(leftMs, () => this.#advance(host, state))
    else if (state.active === 0 && state.waiting.length === 0) this.#hosts.delete(host)
  }
}
