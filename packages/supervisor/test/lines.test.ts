import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createLineSplitter, lineBytesMax } from '../src/lines.ts'

function split(chunks: readonly Buffer[]): string[] {
  const lines: string[] = []
  const splitter = createLineSplitter((line) => lines.push(line))
  let ended = 0
  for (const chunk of chunks) ended += splitter.push(chunk)
  assert.ok(ended <= lines.length)
  splitter.end()
  return lines
}

test('lines come out as they went in, however the bytes are cut', () => {
  const line = fc.string({ unit: 'grapheme' }).filter((text) => !/[\r\n]/.test(text))
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat(200)), (lines, cuts) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''))
      const places = [
        0,
        ...cuts.map((cut) => Math.min(cut, bytes.length)).toSorted((a, b) => a - b),
      ]
      const chunks = places.map((place, index) => bytes.subarray(place, places[index + 1]))
      assert.deepEqual(split(chunks), lines)
    }),
  )
})

test('a return before the line end is no part of the line, elsewhere it is', () => {
  assert.deepEqual(split([Buffer.from('a\r\nb\rc\n')]), ['a', 'b\rc'])
})

test('what is left without a line end is a line at the end', () => {
  assert.deepEqual(split([Buffer.from('a\nb')]), ['a', 'b'])
  assert.deepEqual(split([Buffer.from('a\n')]), ['a'])
})

test('output without line ends is kept in pieces that cut no character', () => {
  const text = '€'.repeat(lineBytesMax)
  const bytes = Buffer.from(text)
  const chunks = [bytes.subarray(0, 5), bytes.subarray(5, 20_000), bytes.subarray(20_000)]

  const lines = split(chunks)

  assert.ok(lines.every((line) => Buffer.byteLength(line) <= lineBytesMax))
  assert.ok(lines.length <= 4)
  assert.equal(lines.join(''), text)
})
