import type { Locator, RingNode } from '@drover/ring'
import { type Candidate, isFree, type PickRequest, type Policy } from '../policy.ts'

/** Returns `candidates` as the nodes of a ring. */
export function nodesOf(candidates: readonly Candidate[]): RingNode[] {
  return candidates.map(({ id, weight }) => ({ id, weight }))
}

/**
 * Returns the policy that asks `locator` for the key's replica and, where that is not free, for the
 * next in the key's own order. Allocates nothing: the question is one function for all picks.
 */
export function createHashed(candidates: readonly Candidate[], locator: Locator): Policy {
  let asking: PickRequest = { key: 0, tried: [] }
  const accepts = (index: number): boolean => {
    const candidate = candidates[index]
    return candidate !== undefined && isFree(candidate, asking)
  }
  return {
    pick(request) {
      asking = request
      return candidates[locator.find(request.key, accepts)]
    },
  }
}
