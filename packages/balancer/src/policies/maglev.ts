import { MaglevTable } from '@drover/ring'
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

/** The least prime number that is not below `value`. */
function nextPrime(value: number): number {
  for (let number = Math.max(2, Math.ceil(value)); ; number++) if (isPrime(number)) return number
}

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor++)
    if (number % divisor === 0) return false
  return true
}
