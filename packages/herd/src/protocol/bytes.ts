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

/** Copies `source[start, end)` to `target` at `at` and returns where it ended. Made for short runs. */
export function copyBytes(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): number {
  if (end - start > 256) {
    target.set(source.subarray(start, end), at)
    return at + end - start
  }
  let to = at
  for (let from = start; from < end; from++) target[to++] = source[from] as number
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
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): number {
  let to = at
  for (let from = start; from < end; from++) {
    const byte = source[from] as number
    if (isPlain[byte] === 1) {
      target[to++] = byte
      continue
    }
    target[to++] = backslash
    target[to++] = 117
    target[to++] = ZERO
    target[to++] = ZERO
    target[to++] = hexDigits[byte >> 4] as number
    target[to++] = hexDigits[byte & 15] as number
  }
  return to
}

/** Returns bytes as text, one character per byte: what was sent comes back as it was. */
export function latin1(bytes: Uint8Array, start = 0, end = bytes.length): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1')
}
