import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { test } from 'node:test'
import fc from 'fast-check'
import { TextCheck } from '../src/text/utf8-check.ts'
import { stepEnds } from './cut.ts'

/** Text, damaged or not: characters of one to four bytes, and bytes that are none. */
const anyBytes = fc
  .array(
    fc.oneof(
      { weight: 8, arbitrary: fc.string({ unit: 'grapheme', maxLength: 6 }).map(Buffer.from) },
      { weight: 1, arbitrary: fc.uint8Array({ min: 1, maxLength: 3 }).map(Buffer.from) },
    ),
    { maxLength: 12 },
  )
  .map((parts) => Buffer.concat(parts as Buffer[]))

function isText(bytes: Buffer, ends: readonly number[]): boolean {
  const check = new TextCheck()
  try {
    let at = 0
    for (const end of ends) {
      check.push(bytes.subarray(at, end))
      at = end
    }
    check.end()
    return true
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'NOT_TEXT')
    return false
  }
}

test('what comes in pieces is text when the whole is', () => {
  const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 })
  const property = fc.property(anyBytes, shares, (bytes, cuts) => {
    const wanted = isUtf8(bytes) && !bytes.includes(0)

    assert.equal(isText(bytes, stepEnds(bytes.length, cuts)), wanted)
  })
  fc.assert(property, { numRuns: 2_000 })
})
