import { DOT, isDigit, MINUS, PLUS, ZERO } from './bytes.ts'

/**
 * A point in time or a span as two whole numbers, because a double loses nanoseconds: at 1.6e9
 * seconds its steps are 238 ns wide.
 */
export interface Instant {
  /** Whole seconds since 1970. */
  seconds: number
  /** 0 to 999,999,999. */
  nanos: number
}

/** More digits than this before the point are refused: they would not fit a double exactly. */
const wholeDigitsMax = 15

/**
 * Reads a plain decimal (`D+` or `D+.D+`, no sign, no exponent) of seconds into `target`; false when
 * the bytes are none. Digits after the ninth are dropped: what is finer than a nanosecond is noise.
 */
export function readInstant(
  bytes: Uint8Array,
  start: number,
  end: number,
  target: Instant,
): boolean {
  let at = start
  let seconds = 0
  for (; at < end && isDigit(bytes[at]); at++) seconds = seconds * 10 + (bytes[at] as number) - ZERO
  if (at === start || at - start > wholeDigitsMax) return false
  let nanos = 0
  if (at < end) {
    if (bytes[at] !== DOT || at + 1 === end) return false
    let place = 100_000_000
    for (at += 1; at < end && isDigit(bytes[at]); at++) {
      nanos += ((bytes[at] as number) - ZERO) * place
      place = place === 1 ? 0 : place / 10
    }
  }
  target.seconds = seconds
  target.nanos = nanos
  return at === end
}

/**
 * Reads a plain decimal as a number; NaN when the bytes are none. For radius and bound, where 15
 * digits are more than enough.
 */
export function readDecimal(bytes: Uint8Array, start: number, end: number): number {
  let points = 0
  for (let at = start; at < end; at++) {
    if (bytes[at] === DOT) points++
    else if (!isDigit(bytes[at])) return Number.NaN
  }
  if (end - start > 64 || points > 1 || !isDigit(bytes[start]) || !isDigit(bytes[end - 1]))
    return Number.NaN
  return Number(Buffer.from(bytes.subarray(start, end)).toString('latin1'))
}

/**
 * Writes `later - earlier` with its sign and nine decimals to `target` at `at` and returns where it
 * ended: `+0.263873386`. Takes at most 27 bytes.
 */
export function writeDifference(
  later: Instant,
  earlier: Instant,
  target: Uint8Array,
  at: number,
): number {
  let seconds = later.seconds - earlier.seconds
  let nanos = later.nanos - earlier.nanos
  const isNegative = seconds < 0 || (seconds === 0 && nanos < 0)
  if (isNegative) {
    seconds = -seconds
    nanos = -nanos
  }
  if (nanos < 0) {
    nanos += 1_000_000_000
    seconds -= 1
  }
  target[at] = isNegative ? MINUS : PLUS
  let to = writeWhole(seconds, target, at + 1)
  target[to++] = DOT
  for (let place = to + 8; place >= to; place--) {
    // Below 2^31, where a bitwise operator is a faster floor.
    const tens = (nanos / 10) | 0
    target[place] = ZERO + nanos - tens * 10
    nanos = tens
  }
  return to + 9
}

/** Writes a whole number that is not negative in decimal and returns where it ended. */
export function writeWhole(value: number, target: Uint8Array, at: number): number {
  let end = at + 1
  for (let left = value; left >= 10; left = Math.floor(left / 10)) end++
  for (let place = end - 1, left = value; place >= at; place--) {
    const tens = Math.floor(left / 10)
    target[place] = ZERO + left - tens * 10
    left = tens
  }
  return end
}
