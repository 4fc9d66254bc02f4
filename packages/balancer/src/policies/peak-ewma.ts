import type { Candidate, CreatePolicy } from '../policy.ts'
import { pickOfTwo } from './draw.ts'

/** Below this, latencies count as equal, so that an idle service is spread by requests under way. */
const floorMs = 0.05

/**
 * Of two candidates drawn at random, the one with the lower cost: estimated latency × (requests
 * under way + 1) / weight ("Peak EWMA", Finagle, 2012).
 *
 * The estimate jumps up to a slow answer at once and falls towards faster ones with
 * e^(-elapsed / decayMs). It falls by itself too while nothing is heard: a slow replica that gets
 * nothing looks better and better until one request probes it (one, because a request under way
 * doubles the cost). A quick answer gives it its share back; a slow one sends it away again. An
 * answer r times slower than the others' costs a replica decayMs · ln r of its share, 23 s for
 * r = 10,000 with the default.
 *
 * A replica not heard yet gets one request at a time. Cost of a pick: O(log candidates) while
 * those drawn are free.
 */
export const createPeakEwma: CreatePolicy = (candidates, { clock, random, options }) => {
  const decayMs = Number(options.decayMs)

  /** The estimate as it has fallen until `nowMs`. */
  const estimateAt = (candidate: Candidate, nowMs: number): number =>
    candidate.latencyMs * Math.exp((candidate.latencyAtMs - nowMs) / decayMs)

  const costAt = (candidate: Candidate, nowMs: number): number => {
    if (candidate.latencyMs === 0) return candidate.inFlight === 0 ? 0 : Number.POSITIVE_INFINITY
    const estimateMs = Math.max(floorMs, estimateAt(candidate, nowMs))
    return (estimateMs * (candidate.inFlight + 1)) / candidate.weight
  }

  return {
    pick: pickOfTwo(candidates, random, (second, first) => {
      const nowMs = clock.monotonic()
      return costAt(second, nowMs) < costAt(first, nowMs)
    }),
    observe(candidate, firstByteMs) {
      const nowMs = clock.monotonic()
      const fallenMs = estimateAt(candidate, nowMs)
      const keep = Math.exp((candidate.latencyAtMs - nowMs) / decayMs)
      candidate.latencyMs =
        firstByteMs >= fallenMs
          ? Math.max(floorMs, firstByteMs)
          : candidate.latencyMs * keep + firstByteMs * (1 - keep)
      candidate.latencyAtMs = nowMs
    },
  }
}
