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

/** The turns of one page: one at each host that its redirects lead over. */
export class PageTurns {
  readonly #turns: HostTurns | undefined
  readonly #clock: Clock
  readonly #had = new Set<string>()

  /** `had` is the host at which the page has its turn already. */
  constructor(turns: HostTurns | undefined, clock: Clock, had: string | undefined) {
    this.#turns = turns
    this.#clock = clock
    if (had !== undefined) this.#had.add(had)
  }

  /**
   * Resolves when the page's turn at `host` has come. Throws TurnLater when it is far away and nothing
   * was fetched yet, HOST_BUSY when something was.
   */
  async await(host: string, delayMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#turns || delayMs === 0 || this.#had.has(host)) return
    const waitMs = await this.#turns.reserve(host, delayMs)
    const isFirst = this.#had.size === 0
    this.#had.add(host)
    if (isFirst && waitMs > nearMs) throw new TurnLater(waitMs)
    if (waitMs > redirectWaitMs)
      throw fault('HOST_BUSY', `${host} has no turn free for ${Math.ceil(waitMs / 1_000)} s`)
    if (waitMs > 0) await this.#clock.sleep(waitMs, signal)
  }
}
