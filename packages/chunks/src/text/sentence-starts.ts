import { isBorder, isSpace } from './boundaries.ts'

const [newline, bang, dot, question] = [0x0a, 0x21, 0x2e, 0x3f]
/** `"`, `'`, `)`, `]`, `*`, `_`: what may stand between the end of a sentence and white space. */
const closers = new Set([0x22, 0x27, 0x29, 0x5d, 0x2a, 0x5f])
/** ’ and ” in UTF-8. */
const wideClosers = new Set([0xe28099, 0xe2809d])
/** 。！？ in UTF-8. */
const wideEnds = new Set([0xe38082, 0xefbc81, 0xefbc9f])

/** For each byte: 1 where a sentence may end at it: `.`, `!`, `?`, a newline, the ends of 。！？. */
const mayEnd = Uint8Array.from({ length: 256 }, (_, byte) =>
  [newline, bang, dot, question, 0x81, 0x82, 0x9f].includes(byte) ? 1 : 0,
)

/** For each byte: 1 where it may stand between the end of a sentence and the start of the next. */
const mayLieBetween = Uint8Array.from({ length: 256 }, (_, byte) =>
  isSpace(byte) || closers.has(byte) || [0xe2, 0x80, 0x99, 0x9d].includes(byte) ? 1 : 0,
)

/** The last mark that was looked at, and where the text after it begins. */
interface Seen {
  mark: number
  start: number
}

/**
 * Returns the last place in (least, at] where a sentence begins and text may be cut, or -1. It looks
 * for end marks, which are few, so that most bytes cost one look into a table.
 */
export function lastSentenceStart(bytes: Buffer, at: number, least: number, floor: number): number {
  const seen: Seen = { mark: -1, start: -1 }
  for (let mark = at - 1; mark >= floor; mark--) {
    const byte = bytes[mark] as number
    if (mayEnd[byte] === 0) {
      if (mark < least && mayLieBetween[byte] === 0) break
      continue
    }
    const before = seen.start
    const start = startAfter(bytes, mark, at, seen)
    if (start <= least) break
    if (start <= at && start !== before && isStart(bytes, start, floor)) return start
  }
  return -1
}

/** Returns the first place in [at, before) where a sentence begins and text may be cut, or -1. */
export function firstSentenceStart(
  bytes: Buffer,
  at: number,
  before: number,
  floor: number,
): number {
  let mark = at - 1
  while (mark > floor && mayLieBetween[bytes[mark] as number] === 1) mark--
  for (; mark < before; mark++) {
    if (mayEnd[bytes[mark] as number] === 0) continue
    const start = startAfter(bytes, mark, before, { mark: -1, start: -1 })
    if (start >= before) return -1
    if (start >= at && isStart(bytes, start, floor)) return start
    // What lies between holds no other mark that leads elsewhere, but newlines.
    mark = Math.max(mark, start - 1)
  }
  return -1
}

function isStart(bytes: Buffer, at: number, floor: number): boolean {
  return isSentenceStart(bytes, at, floor) && isBorder(bytes, at, floor)
}

/**
 * Returns where text begins after a mark: behind what closes the sentence, and white space; a place
 * after `most` when it is not up to there.
 */
function startAfter(bytes: Buffer, mark: number, most: number, seen: Seen): number {
  const end = Math.min(bytes.length, most + 1)
  let at = mark + 1
  while (at < end && closers.has(bytes[at] as number)) at++
  while (at + 2 < end && wideClosers.has(bytes.readUIntBE(at, 3))) at += 3
  while (at < end && at !== seen.mark && isSpace(bytes[at] as number)) at++
  // From one newline to the next the way is known already: a run of them is walked through once.
  if (at !== seen.mark || bytes[at] !== newline) seen.start = at
  seen.mark = mark
  return seen.start
}

/**
 * Whether a sentence begins at `at`: after an end mark and white space, after an empty line, or after
 * an ideographic end mark. It is a rule of thumb: "Mr. Smith" counts as an end.
 */
function isSentenceStart(bytes: Buffer, at: number, floor: number): boolean {
  const before = bytes[at - 1] as number
  if (before >= 0x80) return at >= floor + 3 && wideEnds.has(bytes.readUIntBE(at - 3, 3))
  if (!isSpace(before) || isSpace(bytes[at] as number)) return false
  let end = at - 1
  let newlines = 0
  for (; end >= floor && isSpace(bytes[end] as number); end--)
    if (bytes[end] === newline) newlines++
  if (newlines > 1 || end < floor) return true
  return isEndMark(bytes[beforeClosers(bytes, end, floor)] as number)
}

function beforeClosers(bytes: Buffer, from: number, floor: number): number {
  let end = from
  for (;;) {
    if (end > floor && closers.has(bytes[end] as number)) end--
    else if (end >= floor + 3 && wideClosers.has(bytes.readUIntBE(end - 2, 3))) end -= 3
    else return end
  }
}

function isEndMark(mark: number): boolean {
  return mark === dot || mark === bang || mark === question
}
