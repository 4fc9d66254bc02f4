import type { Random } from './random.ts'

/** How waits between attempts grow. */
export interface BackoffOptions {
  /** The ceiling of the first wait, in ms. */
  readonly firstMs: number
  /** The ceiling that no wait passes, in ms. */
  readonly mostMs: number
  /** What each ceiling is multiplied by to get the next. Default 2. */
  readonly factor?: number
}

/**
 * Returns the wait before attempt `attempt` (0 is the first repeat), in ms: a number drawn evenly
 * from [0, min(mostMs, firstMs · factor^attempt)]. This is "full jitter", which spreads a crowd of
 * clients best (Marc Brooker, "Exponential Backoff And Jitter", 2015).
 */
export function backoffMs(attempt: number, options: BackoffOptions, random: Random): number {
  const { firstMs, mostMs, factor = 2 } = options
  const ceilingMs = Math.min(mostMs, firstMs * factor ** Math.min(attempt, 64))
  return Math.floor(random.next() * ceilingMs)
}
