import { HashRing, loadLimit } from '@drover/ring'
import {
  type ArcsOf,
  type Candidate,
  type CreatePolicy,
  isFree,
  type PickRequest,
  type PolicyOptions,
} from '../policy.ts'
import { nodesOf } from './hashed.ts'

/**
 * The key's owner on a ring of virtual nodes (`HashRing`), or the next on the ring where the owner
 * is busy or has its bounded load already: no replica gets over ⌈(1 + epsilon) · mean⌉ requests
 * under way, the mean by weight. Only where everyone below that bound is no choice (tried, or
 * without room) does a request pass it. Cost of a pick: O(candidates) for the sum of what is under
 * way, and a few steps of the ring.
 */
export const createRing: CreatePolicy = (candidates, { options }) => {
  const epsilon = Number(options.epsilon)
  const ring = layRing(candidates, options)
  const weights = candidates.reduce((sum, { weight }) => sum + weight, 0)
  let asking: PickRequest = { key: 0, tried: [] }
  let underWay = 0

  const accepts = (index: number): boolean => {
    const candidate = candidates[index]
    return candidate !== undefined && isFree(candidate, asking)
  }
  const acceptsBelowBound = (index: number): boolean => {
    const candidate = candidates[index]
    if (candidate === undefined || !isFree(candidate, asking)) return false
    return candidate.inFlight < loadLimit(underWay, candidate.weight / weights, epsilon)
  }

  return {
    pick(request) {
      asking = request
      if (epsilon === 0) return candidates[ring.find(request.key, accepts)]
      underWay = 1
      for (const candidate of candidates) underWay += candidate.inFlight
      const found = ring.find(request.key, acceptsBelowBound)
      return candidates[found === -1 ? ring.find(request.key, accepts) : found]
    },
  }
}

/** Each candidate's stretches of the ring. */
export const ringArcs: ArcsOf = (candidates, options) =>
  layRing(candidates, options)
    .shares()
    .map(({ arcs }) => arcs)

function layRing(candidates: readonly Candidate[], { virtualNodes }: PolicyOptions): HashRing {
  return new HashRing(nodesOf(candidates), { virtualNodes: Number(virtualNodes) })
}
