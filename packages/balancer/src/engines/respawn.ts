import { backoffMs, type Cancel, type Clock, type Random } from '@drover/kernel'

const waits = { firstMs: 200, mostMs: 10_000 }

/** Starts an engine's program again when it has died: at once, and after growing waits if it dies often. */
export class Respawn {
  readonly #clock: Clock
  readonly #random: Random
  readonly #start: () => Promise<void>
  #deaths = 0
  #cancel: Cancel | undefined
  #ended = false

  constructor(clock: Clock, random: Random, start: () => Promise<void>) {
    this.#clock = clock
    this.#random = random
    this.#start = start
  }

  /** Holds when it is not to be started any more. */
  get ended(): boolean {
    return this.#ended
  }

  /** The program died. */
  again(): void {
    const waitMs = this.#deaths === 0 ? 0 : backoffMs(this.#deaths, waits, this.#random)
    this.#deaths++
    this.#cancel = this.#clock.after(waitMs, () => {
      this.#start().catch(() => {
        // It ended again, which brings us back here.
      })
    })
  }

  /** The program answers: its next death counts as the first. */
  settled(): void {
    this.#deaths = 0
  }

  end(): void {
    this.#ended = true
    this.#cancel?.()
  }
}
