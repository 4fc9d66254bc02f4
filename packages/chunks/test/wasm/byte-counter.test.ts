import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LinesChunker } from '../../src/chunkers/lines.ts'
import { ByteCounter } from '../../src/wasm/byte-counter.ts'
import { cutInSteps, stepEnds } from '../cut.ts'

test('any byte is counted in any bytes', () => {
  const bytes = fc.uint8Array({ maxLength: 4_000, size: 'max' })
  const property = fc.property(bytes, fc.nat(255), fc.nat(255), (own, byte, often) => {
    const file = own.map((value) => (value % 3 === 0 ? often : value))
    const counter = new ByteCounter(byte)

    counter.count(file.toReversed())

    assert.equal(counter.count(file), file.filter((value) => value === byte).length)
  })
  fc.assert(property, { numRuns: 500 })
})

test('the bytes next to the one that is counted are told apart from it', () => {
  const all = Uint8Array.from({ length: 256 * 9 }, (_, index) => index % 256)
  for (let byte = 0; byte < 256; byte++) assert.equal(new ByteCounter(byte).count(all), 9)
})

test('lines that are counted by the block are cut where each one is looked for', async () => {
  const line = fc.integer({ min: 0, max: 90 }).map((length) => `${'x'.repeat(length)}\n`)
  const file = fc
    .tuple(fc.array(line, { maxLength: 400, size: 'max' }), fc.integer({ min: 1, max: 12 }))
    .map(([lines, times]) => Buffer.from(lines.join('').repeat(times)))
  const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 })
  const property = fc.asyncProperty(
    file,
    fc.integer({ min: 256, max: 900 }),
    shares,
    async (bytes, count, cuts) => {
      const pieces = await cutInSteps(
        new LinesChunker(count, 10),
        bytes,
        stepEnds(bytes.length, cuts),
      )

      const lines = bytes.toString().split(/(?<=\n)/)
      const wanted: string[] = []
      for (let from = 0; from < lines.length; from += count)
        wanted.push(lines.slice(from, from + count).join(''))
      assert.deepEqual(
        pieces.map(([start, end]) => end - start),
        wanted.map(({ length }) => length).filter((length) => length > 0),
      )
    },
  )
  await fc.assert(property, { numRuns: 200 })
})
