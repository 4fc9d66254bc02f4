/**
 * What a key may be: a text (hashed over its UTF-8 bytes), or a whole number, which is mixed
 * directly and so lands elsewhere than its digits as a text would.
 */
export type Key = string | number

/** The seed of the lower half of a 64-bit hash; the upper half has seed 0. */
const lowSeed = 0x9747b28c
const scratchBytesMax = 1024
const encoder = new TextEncoder()
const scratch = new Uint8Array(scratchBytesMax)

/**
 * Returns the 32-bit MurmurHash3 (x86, 32 bits) of the UTF-8 bytes of `text`, as an unsigned number.
 * Austin Appleby put the algorithm into the public domain: SMHasher, MurmurHash3.cpp.
 */
export function hashText(text: string, seed = 0): number {
  hashBoth(text, seed, seed)
  return upper >>> 0
}

/**
 * Writes the 64-bit hash of `key` to `lanes`: the upper half to index 0, the lower half to index 1.
 * A text's halves are MurmurHash3 with two seeds, computed in one pass. Allocates nothing for texts
 * of ASCII characters or of up to 341 characters. Not for secrets: whoever knows the algorithm can
 * choose a key that lands where they want.
 */
export function hashKey(key: Key, lanes: Uint32Array): void {
  if (typeof key === 'number') hashNumber(key)
  else hashBoth(key, 0, lowSeed)
  lanes[0] = upper
  lanes[1] = lower
}

/**
 * Returns `value` with its bits mixed so that each input bit sways each output bit: the finalizer of
 * MurmurHash3, a bijection on 32 bits. The result is unsigned.
 */
export function mix32(value: number): number {
  return finish(value) >>> 0
}

/** The halves of the last hash, as signed 32-bit numbers: a pair without an object to carry it. */
let upper = 0
let lower = 0

function hashNumber(value: number): void {
  const low = value | 0
  const high = Math.floor(value / 0x1_0000_0000) | 0
  upper = finish(low ^ Math.imul(high, 0x85ebca6b) ^ 0x2545f491)
  lower = finish(upper ^ Math.imul(low, 0x9e3779b1) ^ high)
}

/** MurmurHash3 with two seeds at once: what a block adds does not depend on the seed. */
function hashBoth(text: string, seed: number, otherSeed: number): void {
  let one = seed | 0
  let other = otherSeed | 0
  const { length } = text
  const wholeBlocks = length & ~3
  let seen = 0

  for (let at = 0; at < wholeBlocks; at += 4) {
    const a = text.charCodeAt(at)
    const b = text.charCodeAt(at + 1)
    const c = text.charCodeAt(at + 2)
    const d = text.charCodeAt(at + 3)
    seen |= a | b | c | d
    const block = scramble(a | (b << 8) | (c << 16) | (d << 24))
    one = absorb(one, block)
    other = absorb(other, block)
  }

  let rest = 0
  for (let at = length - 1; at >= wholeBlocks; at--) {
    const code = text.charCodeAt(at)
    seen |= code
    rest = (rest << 8) | code
  }
  if (seen > 0x7f) {
    hashBytes(utf8(text), seed, otherSeed)
    return
  }
  const tail = scramble(rest)
  upper = finish(one ^ tail ^ length)
  lower = finish(other ^ tail ^ length)
}

/** The same over bytes: for texts that are not ASCII. */
function hashBytes(bytes: Uint8Array, seed: number, otherSeed: number): void {
  let one = seed | 0
  let other = otherSeed | 0
  const { length } = bytes
  const wholeBlocks = length & ~3
  for (let at = 0; at < wholeBlocks; at += 4) {
    const block = scramble(
      byteAt(bytes, at) |
        (byteAt(bytes, at + 1) << 8) |
        (byteAt(bytes, at + 2) << 16) |
        (byteAt(bytes, at + 3) << 24),
    )
    one = absorb(one, block)
    other = absorb(other, block)
  }
  let rest = 0
  for (let at = length - 1; at >= wholeBlocks; at--) rest = (rest << 8) | byteAt(bytes, at)
  const tail = scramble(rest)
  upper = finish(one ^ tail ^ length)
  lower = finish(other ^ tail ^ length)
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
  const mixed = state ^ block
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0
}

function finish(state: number): number {
  let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
