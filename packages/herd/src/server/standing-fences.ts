import type { Clock } from '@drover/kernel'
import { fault } from '../errors.ts'
import type { FenceShape, Fences } from '../state/fences.ts'
import type { HerdState } from '../state/herd-state.ts'
import { clientsInBox, clientsWithin } from '../state/search.ts'
import { type ClientView, describeClient } from './describe-client.ts'

/** A fence that stays until it is removed, as the HTTP API tells of it. */
export interface StandingFence {
  readonly id: string
  readonly shape: FenceShape
  /** Clients in it now, and how many have come and gone since it was made. */
  inside: number
  entered: number
  left: number
}

/** What happened at a standing fence. */
export interface FenceNews extends ClientView {
  readonly fence: string
  readonly event: 'enter' | 'leave' | 'move'
}

/** Fences that belong to the server, not to a connection: made and removed by HTTP. */
export class StandingFences {
  readonly #state: HerdState
  readonly #fences: Fences
  readonly #clock: Clock
  readonly #fencesMax: number
  readonly #byId = new Map<string, { readonly view: StandingFence; readonly remove: () => void }>()
  readonly #listeners = new Set<(news: FenceNews) => void>()
  #lastNumber = 0

  /** `fencesMax` counts all fences of the server, those of connections too. */
  constructor(state: HerdState, fences: Fences, clock: Clock, fencesMax: number) {
    this.#state = state
    this.#fences = fences
    this.#clock = clock
    this.#fencesMax = fencesMax
  }

  /** Makes a fence, or puts it in the place of the one of that id. Throws HERD_FULL. */
  put(shape: FenceShape, id: string | undefined): StandingFence {
    const name = id ?? this.#freeName()
    if (!this.#byId.has(name) && this.#fences.count >= this.#fencesMax)
      throw fault('HERD_FULL', `there are ${this.#fencesMax} fences already`)
    this.remove(name)
    const view: StandingFence = {
      id: name,
      shape,
      inside: this.#countIn(shape),
      entered: 0,
      left: 0,
    }
    const remove = this.#fences.add(shape, (event, slot) => {
      if (event === 'enter') {
        view.inside++
        view.entered++
      } else if (event === 'leave') {
        view.inside--
        view.left++
      }
      if (this.#listeners.size === 0) return
      const news = { fence: name, event, ...describeClient(this.#state, slot) }
      for (const listener of this.#listeners) listener(news)
    })
    this.#byId.set(name, { view, remove })
    return view
  }

  /** Returns false when there is no such fence. */
  remove(id: string): boolean {
    this.#byId.get(id)?.remove()
    return this.#byId.delete(id)
  }

  list(): StandingFence[] {
    return [...this.#byId.values()].map(({ view }) => view)
  }

  /** Calls `listener` for each crossing until the returned function is called. */
  subscribe(listener: (news: FenceNews) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #freeName(): string {
    do this.#lastNumber++
    while (this.#byId.has(`fence-${this.#lastNumber}`))
    return `fence-${this.#lastNumber}`
  }

  #countIn(shape: FenceShape): number {
    const { limits } = this.#state
    const nowMs = this.#clock.now()
    const found =
      shape.kind === 'box'
        ? clientsInBox(this.#state, shape.box, limits.recordsMax, nowMs)
        : clientsWithin(this.#state, shape.center, shape.radiusKm, limits.recordsMax, nowMs)
    return found.length
  }
}
