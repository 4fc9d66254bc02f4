import { type Candidate, type CreatePolicy, isFree, type PickRequest } from '../policy.ts'
import { levelCredit } from './weighted.ts'

/**
 * The candidate with the fewest requests under way for its weight; those that are equal take turns
 * by smooth weighted round robin, so that an idle service is spread too. Cost of a pick:
 * O(candidates).
 */
export const createLeastConnections: CreatePolicy = (candidates) => {
  levelCredit(candidates)
  /** The load of each candidate in this pick; no bound for those that are not free. */
  const loads = new Float64Array(candidates.length)
  return {
    pick(request) {
      const least = gatherLoads(candidates, request, loads)
      if (least === Number.POSITIVE_INFINITY) return undefined
      let chosen: Candidate | undefined
      let earned = 0
      for (let index = 0; index < candidates.length; index++) {
        const candidate = candidates[index]
        if (loads[index] !== least || candidate === undefined) continue
        earned += candidate.weight
        candidate.credit += candidate.weight
        if (chosen === undefined || candidate.credit > chosen.credit) chosen = candidate
      }
      if (chosen !== undefined) chosen.credit -= earned
      return chosen
    },
  }
}

/** Writes the load of each candidate to `loads` and returns the least. */
function gatherLoads(
  candidates: readonly Candidate[],
  request: PickRequest,
  loads: Float64Array,
): number {
  let least = Number.POSITIVE_INFINITY
  for (let index = 0; index < candidates.length; index++) {
    const candidate = candidates[index]
    const isChoice = candidate !== undefined && isFree(candidate, request)
    const load = isChoice ? candidate.inFlight / candidate.weight : Number.POSITIVE_INFINITY
    loads[index] = load
    if (load < least) least = load
  }
  return least
}
