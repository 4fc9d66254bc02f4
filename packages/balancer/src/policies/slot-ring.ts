import { hashText, numberServers, SlotRing, SlotRingFull, slotHashes } from '@drover/ring'
import {
  type ArcsOf,
  type Candidate,
  type CreatePolicy,
  isFree,
  type PickRequest,
  type PolicyOptions,
} from '../policy.ts'

/**
 * The ring of the customizable load balancer (`SlotRing`): from the request's slot clockwise to the
 * first slot of a replica that is free. `Server 3` is server number 3, another name gets a number
 * from its hash; a key that is a text is hashed to a number first. Weights play no part. Replicas
 * that come when all slots are taken get none, and so no requests: 512 slots have room for 56.
 * Cost of a pick: one step for each slot passed.
 */
export const createSlotRing: CreatePolicy = (candidates, { options }) => {
  const { ring, byNumber } = layRing(candidates, options)
  let asking: PickRequest = { key: 0, tried: [] }
  const accepts = (number: number): boolean => {
    const candidate = byNumber.get(number)
    return candidate !== undefined && isFree(candidate, asking)
  }
  return {
    pick(request) {
      asking = request
      const { key } = request
      return byNumber.get(ring.find(typeof key === 'number' ? key : hashText(key), accepts))
    },
  }
}

/** Each candidate's stretches of the slot ring; none for one that found no room. */
export const slotRingArcs: ArcsOf = (candidates, options) => {
  const { ring, byNumber } = layRing(candidates, options)
  const arcs = new Map(ring.shares().map((share) => [byNumber.get(share.node), share.arcs]))
  return candidates.map((candidate) => arcs.get(candidate) ?? [])
}

/** The ring, and who has which number on it. */
function layRing(candidates: readonly Candidate[], options: PolicyOptions) {
  const ring = new SlotRing({
    slots: Number(options.slots),
    virtualServers: Math.min(Number(options.virtualServers), Number(options.slots)),
    probing: options.probing === 'quadratic' ? 'quadratic' : 'linear',
    hashes: slotHashes[options.hash as keyof typeof slotHashes],
  })
  const byNumber = new Map<number, Candidate>()
  numberServers(candidates.map(({ name }) => name)).forEach((number, index) => {
    const candidate = candidates[index]
    if (candidate !== undefined && addIfRoom(ring, number)) byNumber.set(number, candidate)
  })
  return { ring, byNumber }
}

/** Returns false when the ring has no slots left for the server. */
function addIfRoom(ring: SlotRing, number: number): boolean {
  try {
    ring.add(number)
    return true
  } catch (error) {
    if (error instanceof SlotRingFull) return false
    throw error
  }
}
