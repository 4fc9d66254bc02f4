import type { Readable } from 'node:stream'
import type { Clock } from '@drover/kernel'

/**
 * What a replica may print for long, in bytes a second, a line counting as 64 more: some 50,000 lines
 * of 100 letters. Above it the replica finds its output full and is slowed down, instead of the front
 * door, which shares the thread that reads.
 */
const costPerSecondMax = 8_000_000

const lineCost = 64

/**
 * Reads `source` into `take`, which returns the number of lines, no faster than the bound (a token
 * bucket that holds one second). A source that ends while it is held back is read to its end.
 */
export function readOutput(
  source: Readable,
  take: (chunk: Buffer) => number,
  clock: Pick<Clock, 'monotonic' | 'after'>,
): void {
  let tokens = costPerSecondMax
  let countedAtMs = clock.monotonic()
  // A pipe that breaks has ended; nothing else is to be done about it.
  source.on('error', () => {})
  source.on('data', (chunk: Buffer) => {
    const nowMs = clock.monotonic()
    const refill = ((nowMs - countedAtMs) * costPerSecondMax) / 1_000
    tokens = Math.min(costPerSecondMax, tokens + refill)
    countedAtMs = nowMs
    tokens -= chunk.length + lineCost * take(chunk)
    if (tokens >= 0) return
    source.pause()
    clock.after((-tokens * 1_000) / costPerSecondMax, () => source.resume())
  })
}
