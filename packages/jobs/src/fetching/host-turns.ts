import type { Clock } from '@drover/kernel'
import { fault } from '../errors.ts'

/** Hands out the turns at hosts, so that all workers together ask a host no more often than is polite. */
export interface HostTurns {
  /** Takes the next free turn, `delayMs` after the one before it; returns how long it is till then. */
  reserve(host: string, delayMs: number): Promise<number>
}

/** Thrown instead of waiting: the turn is reserved, and so far away that the worker is better used. */
export class TurnLater extends Error {
  readonly waitMs: number

  constructor(waitMs: number) {
    super(`the turn comes in ${waitMs} ms`)
    this.waitMs = waitMs
  }
}

/** A turn so near is waited for; for one that is farther the job is put back into the store, in ms. */
const nearMs = 1_000

/** The longest wait at a host that a redirect leads to, where a job would have to begin anew, in ms. */
const redirectWaitMs = 30_000

/** The turns of one page at the hosts that its redirects lead over. */
export class PageTurns {
  readonly #turns: HostTurns | undefined
  readonly #clock: Clock
  readonly #had = new Set<string>()
  /** Where the page's turn has come already, and nothing was asked for yet. */
  #given: string | undefined

  /** `given` is the host at which the page has its turn already. */
  constructor(turns: HostTurns | undefined, clock: Clock, given: string | undefined) {
    this.#turns = turns
    this.#clock = clock
    this.#given = given
  }

  /**
   * Resolves when the page's turn at `host` has come. Throws TurnLater when it is far away and nothing
   * was fetched yet, HOST_BUSY when something was. A page that its host leads on to another place there
   * does not get in line again: it takes one more turn, and those who come later wait longer.
   */
  async await(host: string, delayMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#turns || delayMs === 0) return
    const isFirst = this.#had.size === 0
    const isKnown = this.#had.has(host)
    this.#had.add(host)
    if (this.#given === host) {
      this.#given = undefined
      return
    }
    const waitMs = await this.#turns.reserve(host, delayMs)
    if (isKnown) return
    if (isFirst && waitMs > nearMs) throw new TurnLater(waitMs)
    if (waitMs > redirectWaitMs)
      throw fault('HOST_BUSY', `${host} has no turn free for ${Math.ceil(waitMs / 1_000)} s`)
    if (waitMs > 0) await this.#clock.sleep(waitMs, signal)
  }
}
