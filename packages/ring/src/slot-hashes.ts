import { hashText, mix32 } from './hash.ts'
import type { SlotHashes } from './options.ts'

/**
 * H(i) = i² + 2i + 17 and Φ(i, j) = i² + j² + 2j + 25, modulo the slots: those of the customizable
 * load balancer. Squares reach only 87 of 512 slots, so the spread is uneven by design: of three
 * servers the first gets 84 % of the requests.
 */
export const classroomHashes: SlotHashes = {
  name: 'classroom',
  requestSlot(request, slots) {
    const i = remainder(request, slots)
    return (i * i + 2 * i + 17) % slots
  },
  serverSlot(server, replica, slots) {
    const i = remainder(server, slots)
    return (i * i + replica * replica + 2 * replica + 25) % slots
  },
}

/**
 * Multiplication by 2^32 divided by the golden ratio, upper bits first: Knuth, The Art of Computer
 * Programming, volume 3, section 6.4. Numbers in a row land far from one another.
 */
export const multiplicativeHashes: SlotHashes = {
  name: 'multiplicative',
  requestSlot: (request, slots) => scale(golden(fold(request)), slots),
  serverSlot: (server, replica, slots) =>
    scale(golden(golden(fold(server)) ^ Math.imul(replica + 1, 0x85ebca6b)), slots),
}

/** FNV-1a (32 bits, Fowler, Noll and Vo) over the decimal digits, `i` for H and `i:j` for Φ. */
export const fnvHashes: SlotHashes = {
  name: 'fnv',
  requestSlot: (request, slots) => fnv1a(`${request}`) % slots,
  serverSlot: (server, replica, slots) => fnv1a(`${server}:${replica}`) % slots,
}

/** The finalizer of MurmurHash3 over the number's bits: each bit sways each bit of the slot. */
export const murmurHashes: SlotHashes = {
  name: 'murmur',
  requestSlot: (request, slots) => scale(mix32(fold(request) ^ 0x2545f491), slots),
  serverSlot: (server, replica, slots) =>
    scale(mix32(mix32(fold(server)) + Math.imul(replica + 1, 0x9e3779b1)), slots),
}

/** All pairs by their names, for a command line or a configuration. */
export const slotHashes = {
  classroom: classroomHashes,
  multiplicative: multiplicativeHashes,
  fnv: fnvHashes,
  murmur: murmurHashes,
} as const

/** Below this a name like `Server 3` gives a server's number; from here on a hash of its name. */
const namedBelow = 0x10_0000
const numbersEnd = 0x8000_0000

/**
 * Returns the number of each server for Φ: `Server 3` is 3 (up to 1,048,575); another name gets a
 * number above that from its hash, the same on every machine. Where two names would share a number,
 * the later one takes the next that is free, so all numbers differ.
 */
export function numberServers(names: readonly string[]): number[] {
  const taken = new Set<number>()
  return names.map((name) => {
    let number = numberOf(name)
    while (taken.has(number)) number = number + 1 < numbersEnd ? number + 1 : namedBelow
    taken.add(number)
    return number
  })
}

function numberOf(name: string): number {
  const given = Number(/^Server ([1-9]\d{0,6})$/.exec(name)?.[1] ?? Number.NaN)
  if (given < namedBelow) return given
  return namedBelow + (hashText(name) % (numbersEnd - namedBelow))
}

/** The remainder first keeps squares of large numbers exact, and changes no result. */
function remainder(value: number, slots: number): number {
  return ((value % slots) + slots) % slots
}

/** Brings a whole number of up to 53 bits to 32 of them. */
function fold(value: number): number {
  return (value | 0) ^ Math.floor(value / 0x1_0000_0000)
}

function golden(value: number): number {
  return Math.imul(value, 0x9e3779b1) >>> 0
}

/** Brings 32 bits to [0, slots) by their upper bits. */
function scale(hash: number, slots: number): number {
  return Math.floor((hash * slots) / 0x1_0000_0000)
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++)
    hash = Math.imul(hash ^ (text.charCodeAt(at) & 0xff), 0x01000193)
  return hash >>> 0
}
