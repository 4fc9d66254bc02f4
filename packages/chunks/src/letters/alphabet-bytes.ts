import { alphabet } from './letter-sets.ts'

/** For each byte: 1 where it belongs to a word (a letter of ASCII or a part of a UTF-8 character). */
export const isLetterByte = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x80 || /[A-Za-z]/.test(String.fromCharCode(byte)) ? 1 : 0,
)

/** For each byte: 1 where it belongs to a word when letters stand on both sides: `'` and `-`. */
export const isJoiner = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === 0x27 || byte === 0x2d ? 1 : 0,
)

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
