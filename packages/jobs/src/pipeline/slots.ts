import type { Clock } from '@drover/kernel'

/** One job's place in a worker. */
export interface Slot {
  /** Its attempt is over: another job may begin while this one's ending is noted. */
  rest(): void
  leave(): void
}

/** For so long what was fetched ahead may wait for its slot, in ms. */
const aheadMs = 20

/**
 * How many jobs a worker has under way: at most `most` attempts, and as many endings that wait for
 * the store, which commits them together with the next beginnings.
 */
export class Slots {
  readonly #most: number
  readonly #clock: Clock
  readonly #onFree: () => void
  #working = 0
  #resting = 0
  #onChange = () => {}
  /** Attempts that ended within the present stretch of `aheadMs`, and within the one before. */
  #ended = { since: Number.NEGATIVE_INFINITY, now: 0, before: 0 }

  /** `onFree` is called whenever a slot has become free. */
  constructor(most: number, clock: Clock, onFree: () => void) {
    this.#most = most
    this.#clock = clock
    this.#onFree = onFree
  }

  get free(): number {
    return Math.min(this.#most - this.#working, 2 * this.#most - this.taken)
  }

  get taken(): number {
    return this.#working + this.#resting
  }

  /**
   * How many jobs may be fetched ahead of their slots: as many as end in a moment. Of jobs that take
   * long that is none, so that no worker keeps what another could do.
   */
  get ahead(): number {
    this.#turnStretch()
    return Math.min(this.#most, this.#ended.before)
  }

  take(): Slot {
    this.#working++
    let place: 'working' | 'resting' | 'left' = 'working'
    return {
      rest: () => {
        if (place !== 'working') return
        place = 'resting'
        this.#working--
        this.#resting++
        this.#turnStretch()
        this.#ended.now++
        this.#tell()
      },
      leave: () => {
        if (place === 'left') return
        if (place === 'working') this.#working--
        else this.#resting--
        place = 'left'
        this.#tell()
      },
    }
  }

  /** Resolves when a slot is left or at rest; for one caller. */
  changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#onChange = resolve
    })
  }

  /** Resolves when none is taken. */
  async whenIdle(): Promise<void> {
    while (this.taken > 0) await this.changed()
  }

  #tell(): void {
    if (this.free > 0) this.#onFree()
    this.#onChange()
  }

  #turnStretch(): void {
    const nowMs = this.#clock.monotonic()
    const { since, now } = this.#ended
    if (nowMs < since + aheadMs) return
    this.#ended = { since: nowMs, now: 0, before: nowMs < since + 2 * aheadMs ? now : 0 }
  }
}
