import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hashText, lowerHash, mix32, upperHash } from '../src/hash.ts'

/** Published values of MurmurHash3_x86_32: text, seed, hash. */
const vectors: [string, number, number][] = [
  ['', 0, 0],
  ['', 1, 0x514e28b7],
  ['', 0xffffffff, 0x81f16f39],
  ['a', 0x9747b28c, 0x7fa09ea6],
  ['aa', 0x9747b28c, 0x5d211726],
  ['aaa', 0x9747b28c, 0x283e0130],
  ['aaaa', 0x9747b28c, 0x5a97808a],
  ['abc', 0, 0xb3dd93fa],
  ['test', 0, 0xba6bd213],
  ['test', 0x9747b28c, 0x704b81dc],
  ['Hello, world!', 0x9747b28c, 0x24884cba],
  ['ππππππππ', 0x9747b28c, 0xd58063c1],
  ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
]

function bothHalves(key: string | number): string {
  return `${upperHash(key)} ${lowerHash(key)}`
}

for (const [text, seed, expected] of vectors)
  test(`the hash of "${text}" with seed ${seed} is the published one`, () => {
    assert.equal(hashText(text, seed), expected)
  })

test('the halves of a text are its hashes with two seeds', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
      assert.equal(bothHalves(text), `${hashText(text, 0)} ${hashText(text, 0x9747b28c)}`)
    }),
  )
})

test('a text beyond ASCII hashes by its UTF-8 bytes, however long it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 900 }), (text) => {
      assert.equal(hashText(text, 7), referenceHash(Buffer.from(text, 'utf8'), 7))
    }),
  )
})

test('no two of 200,000 texts or numbers have the same 64 bits', () => {
  const seen = new Set<string>()
  for (let number = 0; number < 100_000; number++) {
    seen.add(bothHalves(number * 4_294_967_291))
    seen.add(bothHalves(`key-${number}`))
  }

  assert.equal(seen.size, 200_000)
})

test('mixing is a bijection on the numbers tried', () => {
  const seen = new Set<number>()
  for (let value = 0; value < 100_000; value++) seen.add(mix32(value * 42_949))

  assert.equal(seen.size, 100_000)
  assert.equal(mix32(0), 0)
})

/** The algorithm once more, over bytes and with exact integers, as slowly and plainly as it goes. */
function referenceHash(bytes: Uint8Array, seed: number): number {
  const word = (value: bigint): bigint => BigInt.asUintN(32, value)
  const turn = (value: bigint, by: bigint): bigint => word((value << by) | (value >> (32n - by)))
  const scramble = (block: bigint): bigint =>
    word(turn(word(block * 0xcc9e2d51n), 15n) * 0x1b873593n)
  let hash = BigInt(seed)
  for (let at = 0; at < bytes.length; at += 4) {
    const part = bytes.subarray(at, at + 4)
    let block = 0n
    for (const [index, byte] of part.entries()) block |= BigInt(byte) << BigInt(8 * index)
    hash ^= scramble(block)
    if (part.length === 4) hash = word(turn(hash, 13n) * 5n + 0xe6546b64n)
  }
  hash ^= BigInt(bytes.length)
  hash = word((hash ^ (hash >> 16n)) * 0x85ebca6bn)
  hash = word((hash ^ (hash >> 13n)) * 0xc2b2ae35n)
  return Number(hash ^ (hash >> 16n))
}
