import type { Clock } from '@drover/kernel'
import type { HerdState } from '../state/herd-state.ts'
import { type ClientView, describeClient } from './describe-client.ts'

/** What a subscriber of the whole map is told at a time. */
export interface MapNews {
  readonly clients: readonly ClientView[]
  /** Ids of those whose lifetime is over. */
  readonly gone: readonly string[]
  /** Everybody is told anew from here on: forget what was told before. */
  readonly isFresh?: true
}

/** News leave this often, each client once in them, and so many at a time. */
const newsMs = 250
const clientsMax = 5_000
const goneMax = 5_000

/**
 * The whole map for one subscriber: first everybody, in pieces, then those that move. A client that
 * moves often is told once per piece, where it is then. A subscriber that falls behind is told
 * everything anew instead of being queued for.
 */
export class MapFeed {
  readonly #state: HerdState
  readonly #clock: Clock
  readonly #tell: (news: MapNews) => void
  readonly #isBehind: () => boolean
  readonly #moved = new Set<number>()
  readonly #gone = new Set<string>()
  /** The next slot of the round that tells everybody; undefined when it is over. */
  #next: number | undefined = 0
  #isFresh = true
  readonly stop: () => void

  /** `isBehind` says that the subscriber has not taken what it was told: it is told later. */
  constructor(
    state: HerdState,
    clock: Clock,
    tell: (news: MapNews) => void,
    isBehind: () => boolean,
  ) {
    this.#state = state
    this.#clock = clock
    this.#tell = tell
    this.#isBehind = isBehind
    this.stop = clock.every(newsMs, () => this.#news())
  }

  /** A client moved. */
  moved(slot: number): void {
    // What the round has still to come to is told by it.
    if (this.#next !== undefined && slot >= this.#next) return
    if (this.#moved.size < clientsMax) this.#moved.add(slot)
    else this.#next = 0
  }

  /** A client's lifetime is over; the slot still holds it. */
  expired(slot: number): void {
    this.#moved.delete(slot)
    if (this.#gone.size < goneMax) this.#gone.add(describeClient(this.#state, slot).client)
    else this.#beginAnew()
  }

  #news(): void {
    if (this.#isBehind()) return
    const { clients, gone } = { clients: this.#takeClients(), gone: [...this.#gone] }
    this.#gone.clear()
    if (clients.length + gone.length === 0 && !this.#isFresh) return
    this.#tell({ clients, gone, ...(this.#isFresh && { isFresh: true }) })
    this.#isFresh = false
  }

  #takeClients(): ClientView[] {
    const state = this.#state
    const nowMs = this.#clock.now()
    const end = state.slotsEnd
    while (this.#next !== undefined && this.#moved.size < clientsMax) {
      if (this.#next < end) this.#moved.add(this.#next++)
      else this.#next = undefined
    }
    const clients: ClientView[] = []
    for (const slot of this.#moved)
      if (state.isLocation(slot, nowMs)) clients.push(describeClient(state, slot))
    this.#moved.clear()
    return clients
  }

  #beginAnew(): void {
    this.#gone.clear()
    this.#moved.clear()
    this.#next = 0
    this.#isFresh = true
  }
}
