import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { backoffMs } from '../src/backoff.ts'
import { seededRandom } from '../src/random.ts'

test('waits stay under a ceiling that doubles up to the cap', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 0, max: 2_000 }), (seed, attempt) => {
      const random = seededRandom(seed)

      const waitMs = backoffMs(attempt, { firstMs: 100, mostMs: 5_000 }, random)

      assert.ok(waitMs >= 0 && waitMs <= Math.min(5_000, 100 * 2 ** attempt))
    }),
  )
})

test('full jitter uses the whole range below the ceiling', () => {
  const random = seededRandom(3)
  const waits = Array.from({ length: 1_000 }, () =>
    backoffMs(10, { firstMs: 100, mostMs: 1_000 }, random),
  )

  assert.ok(Math.min(...waits) < 50)
  assert.ok(Math.max(...waits) > 950)
})
