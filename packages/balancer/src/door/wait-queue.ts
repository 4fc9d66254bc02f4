import type { QueuePlan } from '../plan.ts'

/** A request that waits for a replica. */
export interface Waiter {
  /** In ms of `Deadlines.nowMs`; then `waitExpired` is called. */
  waitUntilMs: number
  /** When it began to wait. */
  waitSinceMs: number
  /** A replica may be free: tries again. False when it still has to wait. */
  wake(): boolean
  waitExpired(): void
}

/**
 * The bounded queue of requests that no replica can take now. Oldest first is fair; newest first
 * serves those whose clients most likely still wait when a backlog is hopeless.
 */
export class WaitQueue {
  plan: QueuePlan
  readonly #waiters = new Set<Waiter>()

  constructor(plan: QueuePlan) {
    this.plan = plan
  }

  get size(): number {
    return this.#waiters.size
  }

  /** False when the queue is full. */
  add(waiter: Waiter): boolean {
    if (this.#waiters.size >= this.plan.sizeMax) return false
    this.#waiters.add(waiter)
    return true
  }

  remove(waiter: Waiter): void {
    this.#waiters.delete(waiter)
  }

  /** Lets waiters try again in their order, until one has to go on waiting. */
  wake(): void {
    if (this.#waiters.size === 0) return
    if (this.plan.order === 'oldest-first') {
      for (const waiter of this.#waiters) if (!this.#wakeOne(waiter)) return
    } else {
      for (const waiter of [...this.#waiters].reverse()) if (!this.#wakeOne(waiter)) return
    }
  }

  /** Lets every waiter try again: another replica may fit one of them where the first finds none. */
  wakeAll(): void {
    for (const waiter of [...this.#waiters]) this.#wakeOne(waiter)
  }

  /** Ends the wait of those whose time is over. */
  tick(nowMs: number): void {
    for (const waiter of [...this.#waiters]) {
      if (waiter.waitUntilMs > nowMs) continue
      this.#waiters.delete(waiter)
      waiter.waitExpired()
    }
  }

  /** Changes when waiting ends: `waitMs` after each began. */
  extend(waitMs: number): void {
    for (const waiter of this.#waiters)
      waiter.waitUntilMs = Math.max(waiter.waitUntilMs, waiter.waitSinceMs + waitMs)
  }

  /** A waiter keeps its place in the order while it tries. */
  #wakeOne(waiter: Waiter): boolean {
    if (!waiter.wake()) return false
    this.#waiters.delete(waiter)
    return true
  }
}
