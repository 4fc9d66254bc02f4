import { type Candidate, type CreatePolicy, isFree, type PickRequest } from '../policy.ts'
import { levelCredit } from './weighted.ts'

/**
 * The candidate with the fewest requests under way for its weight; those that are equal take turns
 * by smooth weighted round robin, so that an idle service is spread too. Cost of a pick:
 * O(candidates).
 */
export const createLeastConnections: CreatePolicy = (candidates) => {
  levelCredit(candidates)
  return {
    pick(request) {
      const least = leastLoad(candidates, request)
      let chosen: Candidate | undefined
      let earned = 0
      for (const candidate of candidates) {
        if (!isFree(candidate, request) || loadOf(candidate) !== least) continue
        earned += candidate.weight
        candidate.credit += candidate.weight
        if (chosen === undefined || candidate.credit > chosen.credit) chosen = candidate
      }
      if (chosen !== undefined) chosen.credit -= earned
      return chosen
    },
  }
}

function leastLoad(candidates: readonly Candidate[], request: PickRequest): number {
  let least = Number.POSITIVE_INFINITY
  for (const candidate of candidates)
    if (isFree(candidate, request)) least = Math.min(least, loadOf(candidate))
  return least
}

function loadOf(candidate: Candidate): number {
  return candidate.inFlight / candidate.weight
}
