import type { Random } from '@drover/kernel'
import { type Candidate, isFree, type PickRequest } from '../policy.ts'

/** Draws candidates at random, each with a chance in proportion to its weight. */
export interface Draw {
  /** One of all, free or not; undefined only when there is none. Cost: O(log candidates). */
  any(): Candidate | undefined
  /** One of those that are free and not `except`. Cost: O(candidates). */
  free(request: PickRequest, except: Candidate | undefined): Candidate | undefined
}

/** Returns a draw over `candidates`, whose weights must not change while it is used. */
export function createDraw(candidates: readonly Candidate[], random: Random): Draw {
  const count = candidates.length
  /** `bounds[i]` is the sum of the weights of candidates 0 to i. */
  const bounds = new Float64Array(count)
  let sum = 0
  candidates.forEach(({ weight }, index) => {
    sum += weight
    bounds[index] = sum
  })
  const even = candidates.every(({ weight }) => weight === candidates[0]?.weight)

  return {
    any() {
      if (even) return candidates[Math.floor(random.next() * count)]
      return candidates[firstAbove(bounds, random.next() * sum)]
    },
    free(request, except) {
      let freeWeight = 0
      for (const candidate of candidates)
        if (candidate !== except && isFree(candidate, request)) freeWeight += candidate.weight

      let left = random.next() * freeWeight
      let last: Candidate | undefined
      for (const candidate of candidates) {
        if (candidate === except || !isFree(candidate, request)) continue
        last = candidate
        left -= candidate.weight
        if (left < 0) return candidate
      }
      return last
    },
  }
}

/** The index of the first of the rising `bounds` that is above `value`, or the last index. */
function firstAbove(bounds: Float64Array, value: number): number {
  let low = 0
  let high = bounds.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((bounds[middle] ?? 0) > value) high = middle
    else low = middle + 1
  }
  return low
}
