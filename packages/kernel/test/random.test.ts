import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { randomToken, seededRandom, systemRandom } from '../src/random.ts'

test('the same seed gives the same numbers, another seed others', () => {
  const draw = (seed: number) => {
    const random = seededRandom(seed)
    return Array.from({ length: 20 }, () => random.next())
  }

  assert.deepEqual(draw(7), draw(7))
  assert.notDeepEqual(draw(7), draw(8))
})

test('whole numbers stay in their range and reach both ends', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 0, max: 50 }), (seed, span) => {
      const random = seededRandom(seed)
      for (let draw = 0; draw < 50; draw++) {
        const value = random.integer(-5, -5 + span)
        assert.ok(Number.isInteger(value) && value >= -5 && value <= -5 + span)
      }
    }),
  )
  const random = seededRandom(1)
  const seen = new Set(Array.from({ length: 200 }, () => random.integer(1, 3)))
  assert.deepEqual([...seen].sort(), [1, 2, 3])
})

test('numbers spread evenly over ten bins', () => {
  const random = seededRandom(42)
  const bins = new Array<number>(10).fill(0)
  for (let draw = 0; draw < 100_000; draw++) {
    const bin = Math.floor(random.next() * 10)
    bins[bin] = (bins[bin] ?? 0) + 1
  }

  for (const count of bins) assert.ok(Math.abs(count - 10_000) < 500, `${bins}`)
})

test('a pick from nothing is nothing', () => {
  assert.equal(systemRandom.pick([]), undefined)
  assert.equal(systemRandom.pick(['only']), 'only')
})

test('tokens are long enough and differ', () => {
  assert.equal(Buffer.from(randomToken(24), 'base64url').length, 24)
  assert.notEqual(randomToken(), randomToken())
})
