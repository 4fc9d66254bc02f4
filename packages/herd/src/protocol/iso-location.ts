import type { Position } from './location.ts'

/**
 * ISO 6709:2008 Annex H: latitude, longitude, height, coordinate reference system, solidus. The
 * number of digits before the decimal mark tells degrees, minutes and seconds; the mark is a full
 * stop or (1983) a comma.
 */
const grammar =
  /^([+-])(\d{2}|\d{4}|\d{6})(?:[.,](\d+))?([+-])(\d{3}|\d{5}|\d{7})(?:[.,](\d+))?([+-]\d+(?:[.,]\d+)?)?(CRS[^/\s]+(?:\/[^/\s]+)*?)?(\/?)$/

/** Reads a location of ISO 6709 Annex H into `target`; false when the text is none. */
export function readIsoLocation(text: string, target: Position): boolean {
  if (text.length > 512) return false
  const match = grammar.exec(text)
  if (!match) return false
  const [, northSouth = '', north = '', northPart = '', eastWest = '', east = '', eastPart = ''] =
    match
  // A longitude and a latitude that are cut differently would be two conventions in one text.
  if (east.length !== north.length + 1) return false
  const latitude = toDegrees(north, northPart, 2)
  const longitude = toDegrees(east, eastPart, 3)
  if (latitude === undefined || longitude === undefined || latitude > 90 || longitude > 180)
    return false
  target.latitude = northSouth === '-' ? -latitude : latitude
  target.longitude = eastWest === '-' ? -longitude : longitude
  return true
}

/** Degrees of `DD`, `DDMM` or `DDMMSS`, the fraction belonging to the last unit. */
function toDegrees(digits: string, fraction: string, degreeDigits: 2 | 3): number | undefined {
  const units = [digits.slice(0, degreeDigits)]
  for (let at = degreeDigits; at < digits.length; at += 2) units.push(digits.slice(at, at + 2))
  units.push(`${units.pop()}.${fraction || '0'}`)
  const [degrees = 0, minutes = 0, seconds = 0] = units.map(Number)
  if (minutes >= 60 || seconds >= 60) return undefined
  return degrees + minutes / 60 + seconds / 3_600
}
