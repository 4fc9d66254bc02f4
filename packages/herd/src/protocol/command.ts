import { DOT, isBlank } from './bytes.ts'
import { type Instant, readDecimal, readInstant } from './decimal.ts'
import { type LocationProfile, type Position, readLocation } from './location.ts'

/** What a line asks for; `empty` gets no answer, `invalid` gets the line back. */
type CommandKind = 'iamat' | 'whatsat' | 'empty' | 'invalid'

/**
 * A line that was read. One object is used for every line, so that reading allocates nothing; the
 * offsets are into the bytes that the line was read from.
 */
export interface Command extends Instant, Position {
  kind: CommandKind
  /** Why it is invalid, for the log. */
  reason: string
  clientStart: number
  clientEnd: number
  /** The location as sent (IAMAT only). */
  locationStart: number
  locationEnd: number
  /** The time as sent (IAMAT only). */
  timeStart: number
  timeEnd: number
  /** Kilometres, 0 to 50 (WHATSAT only). */
  radiusKm: number
  /** How many places at most, 0 to 20 (WHATSAT only). */
  bound: number
}

/** Returns an object for `readCommand` to fill. */
export function createCommand(): Command {
  return {
    kind: 'empty',
    reason: '',
    clientStart: 0,
    clientEnd: 0,
    locationStart: 0,
    locationEnd: 0,
    timeStart: 0,
    timeEnd: 0,
    radiusKm: 0,
    bound: 0,
    seconds: 0,
    nanos: 0,
    latitude: 0,
    longitude: 0,
  }
}

const fieldsMax = 4
const starts = new Int32Array(fieldsMax)
const ends = new Int32Array(fieldsMax)

/** Reads one line into `target`, which is the same for the next line. Never throws. */
export function readCommand(
  bytes: Uint8Array,
  start: number,
  end: number,
  profile: LocationProfile,
  target: Command,
): void {
  const count = splitFields(bytes, start, end)
  target.reason = ''
  if (count === 0) target.kind = 'empty'
  else if (isWord(bytes, 'IAMAT')) {
    target.kind = 'iamat'
    target.reason = readIamat(bytes, count, profile, target)
  } else if (isWord(bytes, 'WHATSAT')) {
    target.kind = 'whatsat'
    target.reason = readWhatsat(bytes, count, target)
  } else target.reason = 'unknown command'
  if (target.reason !== '') target.kind = 'invalid'
}

/** Fills `starts` and `ends` and returns the number of fields; 5 stands for any number above 4. */
function splitFields(bytes: Uint8Array, start: number, end: number): number {
  let count = 0
  let at = start
  while (at < end) {
    if (isBlank(bytes[at])) {
      at++
      continue
    }
    if (count === fieldsMax) return fieldsMax + 1
    starts[count] = at
    while (at < end && !isBlank(bytes[at])) at++
    ends[count++] = at
  }
  return count
}

function isWord(bytes: Uint8Array, word: string): boolean {
  const start = starts[0] as number
  if ((ends[0] as number) - start !== word.length) return false
  for (let at = 0; at < word.length; at++)
    if (bytes[start + at] !== word.charCodeAt(at)) return false
  return true
}

/** Returns why the line is invalid; an empty text when it is not. */
function readIamat(
  bytes: Uint8Array,
  count: number,
  profile: LocationProfile,
  target: Command,
): string {
  if (count !== fieldsMax) return 'IAMAT takes three operands'
  target.clientStart = starts[1] as number
  target.clientEnd = ends[1] as number
  target.locationStart = starts[2] as number
  target.locationEnd = ends[2] as number
  target.timeStart = starts[3] as number
  target.timeEnd = ends[3] as number
  if (!readLocation(bytes, target.locationStart, target.locationEnd, profile, target))
    return 'not a location'
  if (!readInstant(bytes, target.timeStart, target.timeEnd, target)) return 'not a time'
  return ''
}

/** Returns why the line is invalid; an empty text when it is not. */
function readWhatsat(bytes: Uint8Array, count: number, target: Command): string {
  if (count !== fieldsMax) return 'WHATSAT takes three operands'
  target.clientStart = starts[1] as number
  target.clientEnd = ends[1] as number
  target.radiusKm = readDecimal(bytes, starts[2] as number, ends[2] as number)
  target.bound = readDecimal(bytes, starts[3] as number, ends[3] as number)
  if (!(target.radiusKm >= 0 && target.radiusKm <= 50)) return 'the radius is not 0 to 50'
  const hasPoint = bytes.subarray(starts[3], ends[3]).includes(DOT)
  if (hasPoint || !(target.bound >= 0 && target.bound <= 20))
    return 'the bound is not a whole number from 0 to 20'
  return ''
}
