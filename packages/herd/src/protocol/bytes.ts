/** The bytes that the line protocol gives a meaning to. */
export const NUL = 0
const TAB = 9
export const LF = 10
export const CR = 13
export const SPACE = 32
export const PLUS = 43
export const MINUS = 45
export const DOT = 46
export const ZERO = 48
const NINE = 57
export const QUESTION = 63

/** Tells whether a byte separates fields: space, tab, CR, LF, FF or VT. */
export function isBlank(byte: number | undefined): boolean {
  if (byte === undefined || byte > SPACE) return false
  return byte === SPACE || (byte >= TAB && byte <= CR)
}

/** Tells whether a byte is one of `0` to `9`. */
export function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE
}

/** Returns where the first byte of `bytes[start, end)` is that is at most LF; `end` when none is. */
export function findLow(bytes: DataView, start: number, end: number): number {
  let at = start
  for (; at + 4 <= end; at += 4) {
    const word = bytes.getInt32(at, true)
    // Mycroft's test, four bytes at a time; it finds none only when there is none.
    if (((word - 0x0b0b_0b0b) & ~word & 0x8080_8080) !== 0) break
  }
  while (at < end && bytes.getUint8(at) > LF) at++
  return at
}

/** Copies `source[start, end)` to `target` at `at` and returns where it ended. Made for short runs. */
export function copyBytes(
  source: DataView,
  start: number,
  end: number,
  target: DataView,
  at: number,
): number {
  let from = start
  let to = at
  for (; from + 4 <= end; from += 4) {
    target.setInt32(to, source.getInt32(from, true), true)
    to += 4
  }
  for (; from < end; from++) target.setUint8(to++, source.getUint8(from))
  return to
}

const quote = 34
const backslash = 92
const hexDigits = Buffer.from('0123456789abcdef', 'latin1')
/** 1 for the bytes that JSON takes as they are. */
const isPlain = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 32 && byte < 127 && byte !== quote && byte !== backslash ? 1 : 0,
)

/**
 * Copies `source[start, end)` into a JSON text of plain ASCII and returns where it ended: bytes that
 * JSON does not take as they are become \u00XX, the character of that number, at most six bytes each.
 */
export function copyPlainJson(
  source: DataView,
  start: number,
  end: number,
  target: DataView,
  at: number,
): number {
  let from = start
  let to = at
  for (; from + 4 <= end; from += 4) {
    const word = source.getInt32(from, true)
    if (hasUnplain(word)) break
    target.setInt32(to, word, true)
    to += 4
  }
  for (; from < end; from++) {
    const byte = source.getUint8(from)
    if (isPlain[byte] === 1) target.setUint8(to++, byte)
    else to = writeEscape(byte, target, to)
  }
  return to
}

/** Tells whether any of four bytes is none that JSON takes as it is (Mycroft's test for a zero byte). */
function hasUnplain(word: number): boolean {
  const quotes = word ^ 0x2222_2222
  const backslashes = word ^ 0x5c5c_5c5c
  const found =
    word |
    (word + 0x0101_0101) |
    ((word - 0x2020_2020) & ~word) |
    ((quotes - 0x0101_0101) & ~quotes) |
    ((backslashes - 0x0101_0101) & ~backslashes)
  return (found & 0x8080_8080) !== 0
}

function writeEscape(byte: number, target: DataView, at: number): number {
  target.setUint8(at, backslash)
  target.setUint8(at + 1, 117)
  target.setUint8(at + 2, ZERO)
  target.setUint8(at + 3, ZERO)
  target.setUint8(at + 4, hexDigits[byte >> 4] as number)
  target.setUint8(at + 5, hexDigits[byte & 15] as number)
  return at + 6
}

let lastBytes: Uint8Array = new Uint8Array(0)
let lastView = new DataView(lastBytes.buffer)
let otherBytes = lastBytes
let otherView = lastView

/** Returns a view of all of `bytes`, the same one for the two that were asked for last. */
export function viewOf(bytes: Uint8Array): DataView {
  if (bytes === lastBytes) return lastView
  if (bytes === otherBytes) return otherView
  otherBytes = lastBytes
  otherView = lastView
  lastBytes = bytes
  lastView = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return lastView
}

/** Returns bytes as text, one character per byte: what was sent comes back as it was. */
export function latin1(bytes: Uint8Array, start = 0, end = bytes.length): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1')
}
