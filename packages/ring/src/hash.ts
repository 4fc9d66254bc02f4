/**
 * What a key may be: a text (hashed over its UTF-8 bytes), or a whole number, which is mixed
 * directly and so lands elsewhere than its digits as a text would.
 */
export type Key = string | number

/** The seed of the lower half of a 64-bit hash; the upper half of a text has seed 0. */
const lowSeed = 0x9747b28c
const scratchBytesMax = 1024
const encoder = new TextEncoder()
const scratch = new Uint8Array(scratchBytesMax)

/**
 * Returns the 32-bit MurmurHash3 (x86, 32 bits) of the UTF-8 bytes of `text`, as an unsigned number.
 * Austin Appleby put the algorithm into the public domain: SMHasher, MurmurHash3.cpp. Allocates
 * nothing for texts of ASCII characters or of up to 341 characters. Not for secrets: whoever knows
 * the algorithm can choose a text that hashes as they want.
 */
export function hashText(text: string, seed = 0): number {
  const { length } = text
  const wholeBlocks = length & ~3
  let state = seed | 0
  let seen = 0
  for (let at = 0; at < wholeBlocks; at += 4) {
    const a = text.charCodeAt(at)
    const b = text.charCodeAt(at + 1)
    const c = text.charCodeAt(at + 2)
    const d = text.charCodeAt(at + 3)
    seen |= a | b | c | d
    state = absorb(state, a | (b << 8) | (c << 16) | (d << 24))
  }
  let rest = 0
  for (let at = length - 1; at >= wholeBlocks; at--) {
    const code = text.charCodeAt(at)
    seen |= code
    rest = (rest << 8) | code
  }
  if (seen > 0x7f) return hashBytes(utf8(text), seed)
  return mix32(state ^ scramble(rest) ^ length)
}

/** Returns the upper 32 bits of the 64-bit hash of `key`, as an unsigned number. */
export function upperHash(key: Key): number {
  if (typeof key === 'string') return hashText(key)
  return mix32(key ^ Math.imul(Math.floor(key / 0x1_0000_0000), 0x85ebca6b) ^ 0x2545f491)
}

/** Returns the lower 32 bits of the 64-bit hash of `key`, as an unsigned number. */
export function lowerHash(key: Key): number {
  if (typeof key === 'string') return hashText(key, lowSeed)
  return mix32(Math.imul(key, 0x9e3779b1) ^ Math.floor(key / 0x1_0000_0000) ^ lowSeed)
}

/**
 * Returns `value` with its bits mixed so that each input bit sways each output bit: the finalizer of
 * MurmurHash3, a bijection on 32 bits. The result is unsigned.
 */
export function mix32(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

/** The same over bytes: for texts that are not ASCII. */
function hashBytes(bytes: Uint8Array, seed: number): number {
  const { length } = bytes
  const wholeBlocks = length & ~3
  let state = seed | 0
  for (let at = 0; at < wholeBlocks; at += 4) {
    state = absorb(
      state,
      byteAt(bytes, at) |
        (byteAt(bytes, at + 1) << 8) |
        (byteAt(bytes, at + 2) << 16) |
        (byteAt(bytes, at + 3) << 24),
    )
  }
  let rest = 0
  for (let at = length - 1; at >= wholeBlocks; at--) rest = (rest << 8) | byteAt(bytes, at)
  return mix32(state ^ scramble(rest) ^ length)
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0
}

/** The UTF-8 bytes of `text`, in the shared scratch space where they surely fit. */
function utf8(text: string): Uint8Array {
  if (text.length * 3 > scratchBytesMax) return encoder.encode(text)
  return scratch.subarray(0, encoder.encodeInto(text, scratch).written)
}

function scramble(block: number): number {
  const product = Math.imul(block, 0xcc9e2d51)
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593)
}

function absorb(state: number, block: number): number {
  const mixed = state ^ scramble(block)
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0
}
