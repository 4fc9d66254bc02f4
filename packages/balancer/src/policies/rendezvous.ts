import { Rendezvous } from '@drover/ring'
import type { CreatePolicy } from '../policy.ts'
import { createHashed, nodesOf } from './hashed.ts'

/**
 * The free replica that scores highest with the key (`Rendezvous`). Cost of a pick: O(candidates).
 */
export const createRendezvous: CreatePolicy = (candidates) =>
  createHashed(candidates, new Rendezvous(nodesOf(candidates)))
