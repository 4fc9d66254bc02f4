import { backoffMs, type Cancel, type Clock, type Random } from '@drover/kernel'

const waits = { firstMs: 200, mostMs: 10_000 }
/** Who has run for so long has recovered, in ms: the next death counts as the first. */
const calmMs = 10_000

/**
 * Starts a program again when it has died: at once, and after growing waits when it dies again and
 * again, also when it comes up well each time.
 */
export class Respawn {
  readonly #clock: Clock
  readonly #random: Random
  readonly #start: () => Promise<void>
  #deaths = 0
  #settledMs: number | undefined
  #cancel: Cancel | undefined
  #ended = false

  /** `start` may fail when the program dies on its way: that is one more death, told by `again`. */
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
    const upMs = this.#settledMs === undefined ? 0 : this.#clock.monotonic() - this.#settledMs
    this.#settledMs = undefined
    if (upMs >= calmMs) this.#deaths = 0
    const waitMs = this.#deaths === 0 ? 0 : backoffMs(this.#deaths, waits, this.#random)
    this.#deaths++
    this.#cancel = this.#clock.after(waitMs, () => {
      this.#start().catch(() => {
        // It ended again, which brings us back here.
      })
    })
  }

  /** The program answers. */
  settled(): void {
    this.#settledMs ??= this.#clock.monotonic()
  }

  end(): void {
    this.#ended = true
    this.#cancel?.()
  }
}
