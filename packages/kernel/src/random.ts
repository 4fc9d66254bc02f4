import { randomBytes } from 'node:crypto'

/** The only way to chance, so that a seed replays a run. Not for secrets: see `randomToken`. */
export interface Random {
  /** A number in [0, 1). */
  next(): number
  /** A whole number in [least, most], both included. */
  integer(least: number, most: number): number
  /** One element; undefined when `from` is empty. */
  pick<Item>(from: readonly Item[]): Item | undefined
}

/** Returns the source of chance over any generator of numbers in [0, 1). */
function createRandom(next: () => number): Random {
  const integer = (least: number, most: number) => least + Math.floor(next() * (most - least + 1))
  return {
    next,
    integer,
    pick: (from) => from[integer(0, from.length - 1)],
  }
}

/** Chance that differs in each process. */
export const systemRandom: Random = createRandom(Math.random)

/**
 * Returns chance that repeats for the same 32-bit `seed`. The generator is mulberry32 (Tommy
 * Ettinger, public domain): 2^32 period, enough for a simulation, useless for secrets.
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return createRandom(() => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  })
}

/** Returns `byteCount` bytes from the system's secure source, in base64url. */
export function randomToken(byteCount = 24): string {
  return randomBytes(byteCount).toString('base64url')
}
