import { type CreatePolicy, isFree } from '../policy.ts'
import { createWeighted } from './weighted.ts'

/**
 * Each candidate in turn; a busy one loses its turn. Where weights differ (given, or by slow
 * start), it is `weighted`. A new plan goes on after the candidate that came last: `credit` holds
 * the number of each one's last turn. Cost of a pick: O(1) while all are free.
 */
export const createRoundRobin: CreatePolicy = (candidates, context) => {
  if (candidates.some(({ weight }) => weight !== candidates[0]?.weight))
    return createWeighted(candidates, context)

  const count = candidates.length
  let turn = 0
  let next = 0
  candidates.forEach(({ credit }, index) => {
    if (credit > turn) {
      turn = credit
      next = (index + 1) % count
    }
  })

  return {
    pick(request) {
      for (let step = 0; step < count; step++) {
        const candidate = candidates[next]
        next = next + 1 === count ? 0 : next + 1
        if (candidate !== undefined && isFree(candidate, request)) {
          candidate.credit = ++turn
          return candidate
        }
      }
      return undefined
    },
  }
}
