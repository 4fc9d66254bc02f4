import type { Fault } from '@drover/kernel'
import { type BalancerFaultCode, fault } from './errors.ts'

/** Returns the fault of a model or plan that cannot be used. */
export function refuse(message: string): Fault<BalancerFaultCode> {
  return fault('PLAN_REFUSED', message)
}

/** Throws PLAN_REFUSED with place, expectation and value unless `holds`. */
export function check(
  holds: boolean,
  where: string,
  expected: string,
  value: string | number,
): void {
  if (holds) return
  const shown = typeof value === 'string' ? JSON.stringify(value) : value
  throw refuse(`${where} must be ${expected}, not ${shown}`)
}

/** Numbers that are allowed. */
export interface Range {
  readonly least: number
  readonly most: number
  readonly whole: boolean
}

/** Returns the range of whole numbers from `least` to `most`. */
export function whole(least: number, most: number = 2 ** 31 - 1): Range {
  return { least, most, whole: true }
}

/** Returns the range of all numbers from `least` to `most`. */
export function any(least: number, most: number = 1e9): Range {
  return { least, most, whole: false }
}

/** Throws PLAN_REFUSED for the first of `numbers` that is out of its range. */
export function checkNumbers(
  where: string,
  numbers: readonly (readonly [name: string, value: number, range: Range])[],
): void {
  for (const [name, value, { least, most, whole }] of numbers) {
    const isKind = whole ? Number.isSafeInteger(value) : Number.isFinite(value)
    check(
      isKind && value >= least && value <= most,
      `${where} ${name}`,
      `a ${whole ? 'whole ' : ''}number from ${least} to ${most}`,
      value,
    )
  }
}

/** Holds for an IP address (also IPv6 without brackets) or a host name. */
export function isHost(text: string): boolean {
  return /^[A-Za-z0-9_.:-]{1,253}$/.test(text) && /[A-Za-z0-9:]/.test(text)
}

/** Holds for a token of RFC 9110: a method, the name of a header or a cookie. */
export function isToken(text: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text)
}
