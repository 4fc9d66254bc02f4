import type { Clock } from '@drover/kernel'
import type { Instant } from './protocol/decimal.ts'

/** Further apart than this, the wall clock was set, and the two are brought together again. */
const driftMsMax = 5
/** They are compared this often at most. */
const compareMs = 10

/**
 * The wall clock finer than a millisecond: its own start plus what the monotonic clock has counted
 * since. Steps are about a quarter of a microsecond, the finest that a double of milliseconds has.
 */
export class WallClock {
  readonly #clock: Clock
  #offsetMs: number
  #comparedAtMs = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
    this.#offsetMs = clock.now() - clock.monotonic()
  }

  /** Writes the present time to `target`. */
  read(target: Instant): void {
    const elapsedMs = this.#clock.monotonic()
    if (elapsedMs - this.#comparedAtMs >= compareMs) this.#compare(elapsedMs)
    const nowMs = this.#offsetMs + elapsedMs
    const seconds = Math.floor(nowMs / 1_000)
    target.seconds = seconds
    target.nanos = Math.min(999_999_999, Math.round((nowMs - seconds * 1_000) * 1_000_000))
  }

  #compare(elapsedMs: number): void {
    this.#comparedAtMs = elapsedMs
    const offsetMs = this.#clock.now() - elapsedMs
    if (Math.abs(offsetMs - this.#offsetMs) > driftMsMax) this.#offsetMs = offsetMs
  }
}
