import { type Address, backoffMs, type Cancel, type Clock, type Random } from '@drover/kernel'
import type { Link } from './link.ts'
import type { Timings } from './timings.ts'

/** A server to be linked with: dialled at once, and again after every loss until it is dropped. */
export class Neighbour {
  /** Undefined while only the address of a seed is known. */
  readonly name: string | undefined
  readonly address: Address
  /** Attempts since the last link. */
  attempts = 0
  link: Link | undefined
  /** The last life that was linked, and what it has not acknowledged: the next link takes it on. */
  left: { readonly epoch: number; readonly slots: ReadonlySet<number> } | undefined
  /** Whether there ever was a link. */
  hasBeenLinked = false
  /** Why there is no link, and since when (wall time in ms) if there was one. */
  reason: string | undefined
  lostAtMs: number | undefined
  /** Stops a dial or a wait that is under way. */
  #cancel: Cancel | undefined
  readonly #dial: (neighbour: Neighbour) => Cancel

  constructor(name: string | undefined, address: Address, dial: (neighbour: Neighbour) => Cancel) {
    this.name = name
    this.address = address
    this.#dial = dial
  }

  /** Dials now, unless a link is up or being made. */
  reach(): void {
    if (this.link || this.#cancel) return
    this.attempts++
    this.#cancel = this.#dial(this)
  }

  /** The dial failed or the link is lost: dials again after a wait that grows. */
  reachLater(clock: Clock, timings: Timings, random: Random): void {
    this.#cancel?.()
    const options = { firstMs: timings.redialFirstMs, mostMs: timings.redialMostMs }
    const waitMs = backoffMs(Math.max(0, this.attempts - 1), options, random)
    this.#cancel = clock.after(waitMs, () => {
      this.#cancel = undefined
      this.reach()
    })
  }

  /** A link is up: no need to dial. */
  linked(link: Link): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.attempts = 0
    this.reason = undefined
    this.hasBeenLinked = true
    this.link = link
  }

  /** The link is gone. */
  lost(reason: string, nowMs: number): void {
    this.link = undefined
    this.reason = reason
    this.lostAtMs = nowMs
  }

  /** Stops dialling. */
  drop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }
}
