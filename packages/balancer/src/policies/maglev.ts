import { MaglevTable, nextPrime } from '@drover/ring'
import type { CreatePolicy } from '../policy.ts'
import { createHashed, nodesOf } from './hashed.ts'

/**
 * The owner of the key's place in a table that all replicas share exactly by weight (`MaglevTable`);
 * the next in the table where the owner is busy. Cost of a pick: O(1) while the owner is free.
 */
export const createMaglev: CreatePolicy = (candidates, { options }) => {
  const tableSize = nextPrime(Math.max(Number(options.tableSize), 2 * candidates.length))
  return createHashed(candidates, new MaglevTable(nodesOf(candidates), { tableSize }))
}
