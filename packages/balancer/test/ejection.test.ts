import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ejectionMs, isPanic, mayEject, nextTimes } from '../src/ejection.ts'

const rules = { failuresMax: 5, baseMs: 1_000, mostMs: 4_500, shareMax: 0.5 }

test('ejections in a row last longer and longer, to a bound', () => {
  const lasting = [1, 2, 3, 4, 5, 100].map((times) => ejectionMs(times, rules))

  assert.deepEqual(lasting, [1_000, 2_000, 3_000, 4_000, 4_500, 4_500])
})

test('good health takes ejections off again, one for each baseMs', () => {
  const record = { times: 4, wellSinceMs: 10_000 }

  const times = [10_999, 11_000, 12_500, 14_000, 99_000].map((nowMs) =>
    nextTimes(record, nowMs, rules),
  )

  assert.deepEqual(times, [5, 4, 3, 1, 1])
})

test('at most the given share is out, yet one of two or more always may be', () => {
  assert.equal(mayEject(0, 1, rules), false)
  assert.equal(mayEject(0, 2, rules), true)
  assert.equal(mayEject(1, 3, rules), false)
  assert.equal(mayEject(1, 4, rules), true)
  assert.equal(mayEject(0, 10, { ...rules, shareMax: 0.01 }), true)
})

test('panic comes when too small a share is left', () => {
  assert.equal(isPanic(0, 3, 0), true)
  assert.equal(isPanic(1, 2, 0), false)
  assert.equal(isPanic(1, 2, 0.5), true)
  assert.equal(isPanic(3, 0, 1), false)
  assert.equal(isPanic(0, 0, 0), false)
})
