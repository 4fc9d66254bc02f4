import type { Random } from '@drover/kernel'
import { type Candidate, isFree, type PickRequest, type Policy } from '../policy.ts'

/**
 * Draws one of the candidates that are free and not `except`, each with a chance in proportion to
 * its weight; undefined when there is none. Cost: O(log candidates) while the first one drawn will
 * do, else O(candidates).
 */
export type Draw = (request: PickRequest, except?: Candidate) => Candidate | undefined

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
  const drawAny = (): Candidate | undefined =>
    even
      ? candidates[Math.floor(random.next() * count)]
      : candidates[firstAbove(bounds, random.next() * sum)]

  return (request, except) => {
    const drawn = drawAny()
    if (drawn !== undefined && drawn !== except && isFree(drawn, request)) return drawn
    return drawAmongFree(candidates, request, except, random)
  }
}

/**
 * Returns the pick that draws two free candidates and takes the second where it `isBetter` than the
 * first. Cost of a pick: two draws.
 */
export function pickOfTwo(
  candidates: readonly Candidate[],
  random: Random,
  isBetter: (second: Candidate, first: Candidate) => boolean,
): Policy['pick'] {
  const draw = createDraw(candidates, random)
  return (request) => {
    const first = draw(request)
    if (first === undefined || candidates.length === 1) return first
    const second = draw(request, first)
    return second !== undefined && isBetter(second, first) ? second : first
  }
}

/** Looks at all candidates, for when the one drawn from all of them will not do. */
function drawAmongFree(
  candidates: readonly Candidate[],
  request: PickRequest,
  except: Candidate | undefined,
  random: Random,
): Candidate | undefined {
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
