import type { EjectionModel } from './model.ts'

/** What is remembered of a replica's ejections. */
export interface EjectionRecord {
  /** How many times in a row, as far as good health has not taken them off again. */
  readonly times: number
  /** Since when it is well, in monotonic ms. */
  readonly wellSinceMs: number
}

/**
 * Returns how many ejections in a row the next one is: one more than before, less one for each
 * `baseMs` of good health since.
 */
export function nextTimes(record: EjectionRecord, nowMs: number, rules: EjectionModel): number {
  const forgiven = Math.floor((nowMs - record.wellSinceMs) / rules.baseMs)
  return Math.max(0, record.times - forgiven) + 1
}

/** Returns how long the ejection lasts that is the `times`-th in a row, in ms. */
export function ejectionMs(times: number, rules: EjectionModel): number {
  return Math.min(rules.mostMs, times * rules.baseMs)
}

/** Holds when one more of `total` replicas may be ejected, `ejected` being out already. */
export function mayEject(ejected: number, total: number, rules: EjectionModel): boolean {
  return total > 1 && ejected < Math.max(1, Math.floor(total * rules.shareMax))
}

/**
 * Holds when so few are available that the ejected are used all the same: panic mode. Better some
 * answers from replicas that may be well than none at all.
 */
export function isPanic(available: number, ejected: number, panicShare: number): boolean {
  return ejected > 0 && available <= panicShare * (available + ejected)
}
