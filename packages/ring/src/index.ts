export { loadLimit } from './bounded-load.ts'
export { hashText, type Key } from './hash.ts'
export { HashRing } from './hash-ring.ts'
export type { Accepts, Locator, RingNode } from './locator.ts'
export { MaglevTable } from './maglev.ts'
export type {
  HashRingOptions,
  MaglevOptions,
  Probing,
  SlotHashes,
  SlotRingOptions,
} from './options.ts'
export { type Move, moves, place } from './placement.ts'
export { nextPrime } from './primes.ts'
export { Rendezvous } from './rendezvous.ts'
export type { Arc, NodeShare } from './shares.ts'
export {
  classroomHashes,
  fnvHashes,
  multiplicativeHashes,
  murmurHashes,
  numberServers,
  slotHashes,
} from './slot-hashes.ts'
export { SlotRing, SlotRingFull } from './slot-ring.ts'
