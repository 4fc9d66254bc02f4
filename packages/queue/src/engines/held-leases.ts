import { type Cancel, type Clock, randomToken } from '@drover/kernel'
import { fault } from '../errors.ts'

/** One message that this process has from a foreign server and has handed to a worker. */
export interface HeldLease<Delivery> {
  readonly token: string
  readonly topic: string
  readonly group: string
  readonly delivery: Delivery
  readonly attempt: number
  /** Wall time. */
  deadlineMs: number
}

interface Held<Delivery> extends HeldLease<Delivery> {
  cancel: Cancel
}

/**
 * The leases that a foreign engine has given out, each with its own deadline, which the servers
 * behind know nothing of. A token names one handing out; when its lease has ended it is `late` for
 * ever, also after a restart.
 */
export class HeldLeases<Delivery> {
  readonly #clock: Clock
  readonly #onEnd: (lease: HeldLease<Delivery>) => void
  readonly #prefix = randomToken(9)
  readonly #held = new Map<string, Held<Delivery>>()
  #count = 0

  /** `onEnd` is called with each lease whose deadline has passed; it is held no more then. */
  constructor(clock: Clock, onEnd: (lease: HeldLease<Delivery>) => void) {
    this.#clock = clock
    this.#onEnd = onEnd
  }

  /** Begins a lease of `leaseMs` from now. */
  give(
    lease: Omit<HeldLease<Delivery>, 'token' | 'deadlineMs'>,
    leaseMs: number,
  ): HeldLease<Delivery> {
    const token = `${this.#prefix}.${++this.#count}`
    const deadlineMs = this.#clock.now() + leaseMs
    const held = { ...lease, token, deadlineMs, cancel: this.#endAfter(token, leaseMs) }
    this.#held.set(token, held)
    return held
  }

  /** Ends a lease before its deadline; undefined when it has ended. Throws TOKEN_INVALID. */
  take(token: string): HeldLease<Delivery> | undefined {
    const held = this.#find(token)
    if (!held) return undefined
    held.cancel()
    this.#held.delete(token)
    return held
  }

  /** Moves the deadline to `leaseMs` from now; false when the lease has ended. Throws TOKEN_INVALID. */
  extend(token: string, leaseMs: number): boolean {
    const held = this.#find(token)
    if (!held) return false
    held.cancel()
    held.cancel = this.#endAfter(token, leaseMs)
    held.deadlineMs = this.#clock.now() + leaseMs
    return true
  }

  /** Forgets the leases that `lost` says are void, without calling `onEnd`. */
  drop(lost: (lease: HeldLease<Delivery>) => boolean): void {
    for (const held of this.#held.values()) if (lost(held)) this.take(held.token)
  }

  /** All that are held now. */
  values(): readonly HeldLease<Delivery>[] {
    return [...this.#held.values()]
  }

  count(topic: string, group: string): number {
    return this.values().filter((one) => one.topic === topic && one.group === group).length
  }

  #find(token: string): Held<Delivery> | undefined {
    if (!/^[\w-]{12}\.\d{1,15}$/.test(token))
      throw fault('TOKEN_INVALID', `"${token.slice(0, 40)}" is no token of a lease`)
    return this.#held.get(token)
  }

  #endAfter(token: string, leaseMs: number): Cancel {
    return this.#clock.after(leaseMs, () => {
      const held = this.#held.get(token)
      if (!held) return
      this.#held.delete(token)
      this.#onEnd(held)
    })
  }
}
