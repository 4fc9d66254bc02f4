import { type Candidate, type CreatePolicy, isFree } from '../policy.ts'

/**
 * Smooth weighted round robin (Igor Sysoev, nginx 1.3.1, 2012): with each pick every free candidate
 * earns its weight, the richest is chosen and pays what all earned. Whole weights come out exactly
 * in any window of as many picks as their sum. Cost of a pick: O(candidates).
 */
export const createWeighted: CreatePolicy = (candidates) => {
  levelCredit(candidates)
  return {
    pick(request) {
      let chosen: Candidate | undefined
      let earned = 0
      for (const candidate of candidates) {
        if (!isFree(candidate, request)) continue
        earned += candidate.weight
        candidate.credit += candidate.weight
        if (chosen === undefined || candidate.credit > chosen.credit) chosen = candidate
      }
      if (chosen !== undefined) chosen.credit -= earned
      return chosen
    },
  }
}

/**
 * Keeps the credit that an earlier plan left if it still adds up to nothing, as it does while
 * membership stays; else all begin anew, because credit against a candidate that is gone is void.
 */
export function levelCredit(candidates: readonly Candidate[]): void {
  let weight = 0
  let sum = 0
  let most = 0
  for (const candidate of candidates) {
    weight += candidate.weight
    sum += candidate.credit
    most = Math.max(most, Math.abs(candidate.credit))
  }
  if (Math.abs(sum) < 1e-6 * weight && most <= weight) return
  for (const candidate of candidates) candidate.credit = 0
}
