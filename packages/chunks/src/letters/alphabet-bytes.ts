import { alphabet } from './letter-sets.ts'

/** What a byte is to words: nothing, a letter of ASCII, a joiner (`'` or `-`), a part of a UTF-8 character. */
export const byteKinds = { none: 0, letter: 1, joiner: 2, wide: 3 } as const

/** For each byte: its kind. */
export const kindOfByte = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x80) return byteKinds.wide
  if (byte === 0x27 || byte === 0x2d) return byteKinds.joiner
  return /[A-Za-z]/.test(String.fromCharCode(byte)) ? byteKinds.letter : byteKinds.none
})

const isLetterCode = (code: number) => /[\p{L}\p{M}]/u.test(String.fromCodePoint(code))

/** For each code below U+10000: 1 where it is a letter or a mark. Made when the first one is met. */
let letterCodes: Uint8Array | undefined

function isWideLetter(code: number): boolean {
  if (code >= 0x10000) return isLetterCode(code)
  letterCodes ??= Uint8Array.from({ length: 0x10000 }, (_, one) => (isLetterCode(one) ? 1 : 0))
  return letterCodes[code] === 1
}

/** ’ and ‑, which join words as `'` and `-` do. */
const isWideJoiner = (code: number) => code === 0x2019 || code === 0x2011

/** How many bytes the UTF-8 character has that a byte above 0x7f begins. */
export function wideBytes(byte: number): number {
  return byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4
}

/** The code point of the character at `at`, which is UTF-8 and has two bytes or more. */
function codeAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number
  const second = (bytes[at + 1] ?? 0) & 0x3f
  if (first < 0xe0) return ((first & 0x1f) << 6) | second
  const third = (bytes[at + 2] ?? 0) & 0x3f
  if (first < 0xf0) return ((first & 0x0f) << 12) | (second << 6) | third
  return Math.min(
    0x10ffff,
    ((first & 0x07) << 18) | (second << 12) | (third << 6) | ((bytes[at + 3] ?? 0) & 0x3f),
  )
}

/** Returns the bytes of the letter at `at`, of any script; 0 where there is none. */
export function letterBytesAt(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return 0
  const byte = bytes[at] as number
  const kind = kindOfByte[byte]
  if (kind !== byteKinds.wide) return kind === byteKinds.letter ? 1 : 0
  return isWideLetter(codeAt(bytes, at)) ? Math.min(wideBytes(byte), end - at) : 0
}

/** Returns the bytes of the joiner at `at`; 0 where there is none. */
export function joinerBytesAt(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return 0
  const kind = kindOfByte[bytes[at] as number]
  if (kind !== byteKinds.wide) return kind === byteKinds.joiner ? 1 : 0
  return isWideJoiner(codeAt(bytes, at)) ? 3 : 0
}

/** For each byte: its letter, 0 to 25, or 255. */
export const letterOfByte = Uint8Array.from({ length: 256 }, (_, byte) => {
  const letter = alphabet.indexOf(String.fromCharCode(byte).toLowerCase())
  return letter < 0 || byte >= 0x80 ? 255 : letter
})

/** For each character from U+00C0 to U+024F: the letter that it is a form of (é is e), or 255. */
const latin = Uint8Array.from({ length: 0x250 - 0xc0 }, (_, index) => {
  const base = String.fromCodePoint(0xc0 + index)
    .normalize('NFD')
    .charCodeAt(0)
  return letterOfByte[base < 0x80 ? base : 0] as number
})

/** Returns the letter, 0 to 25, that the word at `at` begins with; 255 when it is none of the alphabet. */
export function firstLetter(bytes: Uint8Array, at: number): number {
  const byte = bytes[at] as number
  if (byte < 0x80) return letterOfByte[byte] as number
  if (byte < 0xc3 || byte > 0xc9) return 255
  const code = ((byte & 0x1f) << 6) | ((bytes[at + 1] ?? 0) & 0x3f)
  return latin[code - 0xc0] ?? 255
}
