import { DOT, isDigit, latin1, MINUS, PLUS, ZERO } from './bytes.ts'
import { readIsoLocation } from './iso-location.ts'

/** A place on the globe, in degrees. North and east are positive. */
export interface Position {
  latitude: number
  longitude: number
}

/** Which location texts are taken: see `readLocation`. */
export type LocationProfile = 'classic' | 'lenient' | 'iso'

/**
 * Reads a location into `target`; false when the profile does not allow the text.
 *
 * - `classic`: two signed decimals of degrees, `+34.068930-118.445127`, and nothing else.
 * - `iso`: the whole of ISO 6709 Annex H, so no unpadded degrees.
 * - `lenient`: what either of them takes.
 */
export function readLocation(
  bytes: Uint8Array,
  start: number,
  end: number,
  profile: LocationProfile,
  target: Position,
): boolean {
  if (profile !== 'iso' && readClassicLocation(bytes, start, end, target)) return true
  return profile !== 'classic' && readIsoLocation(latin1(bytes, start, end), target)
}

/** 1, 10, 100 … 10^15: exact, and faster than raising to a power. */
const tens = Float64Array.from({ length: 16 }, (_, power) => 10 ** power)

/** Where the reading of one coordinate ended; -1 when there was none. */
let coordinateEnd = -1

function readClassicLocation(
  bytes: Uint8Array,
  start: number,
  end: number,
  target: Position,
): boolean {
  const latitude = readCoordinate(bytes, start, end, 90)
  if (coordinateEnd < 0) return false
  const longitude = readCoordinate(bytes, coordinateEnd, end, 180)
  if (coordinateEnd !== end) return false
  target.latitude = latitude
  target.longitude = longitude
  return true
}

/** Reads `[+-]D{1,n}[.D+]` where n is the number of digits of `most`; sets `coordinateEnd`. */
function readCoordinate(bytes: Uint8Array, start: number, end: number, most: 90 | 180): number {
  coordinateEnd = -1
  const sign = bytes[start]
  if (start >= end || (sign !== PLUS && sign !== MINUS)) return 0
  const wholeEnd = skipDigits(bytes, start + 1, end)
  const wholeDigits = wholeEnd - start - 1
  if (wholeDigits === 0 || wholeDigits > (most === 90 ? 2 : 3)) return 0
  const whole = toNumber(bytes, start + 1, wholeEnd)

  let at = wholeEnd
  let fraction = 0
  if (at < end && bytes[at] === DOT) {
    at = skipDigits(bytes, wholeEnd + 1, end)
    if (at === wholeEnd + 1) return 0
    // Digits after the fifteenth are below the precision of a double.
    const counted = Math.min(at, wholeEnd + 16)
    fraction = toNumber(bytes, wholeEnd + 1, counted) / (tens[counted - wholeEnd - 1] as number)
  }
  if (whole > most || (whole === most && hasMore(bytes, wholeEnd + 1, at))) return 0
  coordinateEnd = at
  return sign === MINUS ? -(whole + fraction) : whole + fraction
}

function skipDigits(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end && isDigit(bytes[at])) at++
  return at
}

function toNumber(bytes: Uint8Array, start: number, end: number): number {
  let value = 0
  for (let at = start; at < end; at++) value = value * 10 + (bytes[at] as number) - ZERO
  return value
}

/** Tells whether any digit of a fraction is not zero, however late it comes. */
function hasMore(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] !== ZERO) return true
  return false
}
