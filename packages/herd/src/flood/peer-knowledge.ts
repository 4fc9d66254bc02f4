import type { HerdState } from '../state/herd-state.ts'
import type { Origin } from '../state/origins.ts'
import type { Known } from './messages.ts'

/** Slots looked at in one turn, so that a million of them stop nothing else. */
const slotsPerTurn = 65_536

/**
 * How far a neighbour is complete, origin by origin, and the search for what it lacks. The search
 * goes through the slots once; what changes behind it is flooded anyway.
 */
export class PeerKnowledge {
  readonly #state: HerdState
  readonly #known = new Map<Origin, number>()
  /** The next slot to look at; undefined while nothing is searched. */
  #at: number | undefined

  constructor(state: HerdState) {
    this.#state = state
  }

  get isSearching(): boolean {
    return this.#at !== undefined
  }

  /** Begins the search anew. */
  search(): void {
    this.#at = 0
  }

  /** The neighbour has everything up to these numbers. */
  learn(known: readonly Known[]): void {
    for (const { name, epoch, sequence } of known)
      this.#raise(this.#state.origins.enter(name, epoch), sequence)
  }

  /**
   * Calls `found` for slots that the neighbour lacks, among the next ones to be looked at. It returns
   * false when there is no room for the slot; the search goes on with it another time.
   */
  searchOn(found: (slot: number) => boolean): void {
    if (this.#at === undefined) return
    const state = this.#state
    const has: number[] = []
    for (const [origin, sequence] of this.#known) has[origin.index] = sequence
    const end = Math.min(this.#at + slotsPerTurn, state.slotsEnd)
    for (let slot = this.#at; slot < end; slot++) {
      const origin = state.originAt(slot)
      if (origin < 0 || state.sequenceAt(slot) <= (has[origin] ?? 0) || found(slot)) continue
      this.#at = slot
      return
    }
    this.#at = end < state.slotsEnd ? end : undefined
  }

  /** Returns what is complete here beyond what the neighbour knows, and takes it as told. */
  tell(): Known[] {
    const news: Known[] = []
    for (const origin of this.#state.origins.all()) {
      if (!this.#raise(origin, origin.sequence)) continue
      news.push({ name: origin.name, epoch: origin.epoch, sequence: origin.sequence })
    }
    return news
  }

  #raise(origin: Origin, sequence: number): boolean {
    if (sequence <= (this.#known.get(origin) ?? 0)) return false
    this.#known.set(origin, sequence)
    return true
  }
}
