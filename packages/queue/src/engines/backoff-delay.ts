import type { Random } from '@drover/kernel'
import type { TopicOptions } from '../queue-engine.ts'

/**
 * Returns the wait after attempt number `attempt` (from 1) failed, in ms: drawn from [half, whole] of
 * min(mostMs, firstMs · 2^(attempt - 1)).
 */
export function backoffDelayMs(
  { firstMs, mostMs }: Required<TopicOptions>['backoff'],
  attempt: number,
  random: Random,
): number {
  const wholeMs = Math.min(mostMs, firstMs * 2 ** Math.min(attempt - 1, 64))
  return Math.round(wholeMs * (0.5 + random.next() / 2))
}
