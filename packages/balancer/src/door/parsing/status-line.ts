import { headRead } from './request-line.ts'

const lineBytesMax = 1_024
const lineFeed = 10
const carriageReturn = 13
const space = 32
const start = 'HTTP/1.'
/** Where the three digits of the status stand in the line. */
const statusAt = 9

/** What one status line says; used again for the next. */
export class StatusLine {
  minor = 1
  status = 0
  reason = ''
}

/**
 * Reads `HTTP/1.x nnn phrase` CRLF from `bytes[at..end)` into `line`. Returns the offset behind it,
 * `headRead.incomplete`, or `headRead.refused` with `reason` set.
 */
export function readStatusLine(bytes: Buffer, at: number, end: number, line: StatusLine): number {
  if (!startFits(bytes, at, end)) return refuse(line, 'not an HTTP/1 answer')
  const phraseAt = at + statusAt + 3
  if (phraseAt >= end) return headRead.incomplete
  line.minor = (bytes[at + start.length] ?? 0) - 48
  line.status = threeDigits(bytes, at + statusAt)
  const behind = bytes[phraseAt]
  if (line.minor < 0 || line.minor > 1 || bytes[at + 8] !== space)
    return refuse(line, 'malformed status line')
  if (line.status < 100 || line.status > 599 || (behind !== space && behind !== carriageReturn))
    return refuse(line, 'malformed status line')
  return readPhrase(bytes, at, phraseAt, end, line)
}

/** Holds while the line may still become `HTTP/1.`. */
function startFits(bytes: Buffer, at: number, end: number): boolean {
  const known = Math.min(start.length, end - at)
  for (let offset = 0; offset < known; offset++)
    if (bytes[at + offset] !== start.charCodeAt(offset)) return false
  return true
}

/** Reads the rest of the line; returns the offset behind its CRLF. */
function readPhrase(
  bytes: Buffer,
  at: number,
  from: number,
  end: number,
  line: StatusLine,
): number {
  let index = from
  while (index < end && isPhraseByte(bytes[index] as number)) index++
  if (index - at > lineBytesMax) return refuse(line, 'status line too long')
  if (index === end || (index + 1 === end && bytes[index] === carriageReturn))
    return headRead.incomplete
  if (bytes[index] !== carriageReturn || bytes[index + 1] !== lineFeed)
    return refuse(line, 'malformed status line')
  return index + 2
}

/** The number that three digits make; -1 when one of them is none. */
function threeDigits(bytes: Buffer, at: number): number {
  const hundreds = (bytes[at] ?? 0) - 48
  const tens = (bytes[at + 1] ?? 0) - 48
  const ones = (bytes[at + 2] ?? 0) - 48
  if (hundreds < 0 || hundreds > 9 || tens < 0 || tens > 9 || ones < 0 || ones > 9) return -1
  return hundreds * 100 + tens * 10 + ones
}

/** Visible bytes, blank, tab, and everything from 0x80 up. */
function isPhraseByte(byte: number): boolean {
  return byte >= space ? byte !== 127 : byte === 9
}

function refuse(line: StatusLine, reason: string): number {
  line.reason = reason
  return headRead.refused
}
