/** One job's place in a worker. */
export interface Slot {
  /** Its attempt is over: another job may begin while this one's ending is noted. */
  rest(): void
  leave(): void
}

/**
 * How many jobs a worker has under way: at most `most` attempts, and as many endings that wait for
 * the store, which commits them together with the next beginnings.
 */
export class Slots {
  readonly #most: number
  #working = 0
  #resting = 0
  #onFree = () => {}
  #onIdle = () => {}

  constructor(most: number) {
    this.#most = most
  }

  /** Less than none when more were taken than were free. */
  get free(): number {
    return Math.min(this.#most - this.#working, 2 * this.#most - this.taken)
  }

  get taken(): number {
    return this.#working + this.#resting
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

  /** Resolves when one is free; for one caller. */
  async whenFree(): Promise<void> {
    while (this.free <= 0)
      await new Promise<void>((resolve) => {
        this.#onFree = resolve
      })
  }

  /** Resolves when none is taken; for one caller. */
  async whenIdle(): Promise<void> {
    while (this.taken > 0)
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve
      })
  }

  #tell(): void {
    if (this.free > 0) this.#onFree()
    if (this.taken === 0) this.#onIdle()
  }
}
