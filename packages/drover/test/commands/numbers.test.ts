import assert from 'node:assert/strict'
import { test } from 'node:test'
import { positiveNumber, share, wholeNumber } from '../../src/commands/numbers.ts'

test('whole numbers are read within their bounds', () => {
  const read = wholeNumber('--lines', 0, 100)

  assert.deepEqual(['0', '7', '100'].map(read), [0, 7, 100])
  for (const text of ['101', '-1', '1.5', 'x', '', ' 1', '1e1'])
    assert.throws(() => read(text), {
      code: 'USAGE',
      message: `--lines: expected a whole number from 0 to 100, not "${text}"`,
    })
})

test('shares of a whole are from 0 to 1', () => {
  const read = share('--fail')

  assert.deepEqual(['0', '1', '0.5', '.25', '1.0'].map(read), [0, 1, 0.5, 0.25, 1])
  for (const text of ['1.01', '-0.5', '50%', '', '1e-3'])
    assert.throws(() => read(text), {
      code: 'USAGE',
      message: `--fail: expected a number from 0 to 1, not "${text}"`,
    })
})

test('weights are above 0 and may have a fraction', () => {
  const read = positiveNumber('weight', 10)

  assert.deepEqual(['0.5', '7', '10'].map(read), [0.5, 7, 10])
  for (const text of ['0', '-1', '10.1', 'abc', '', 'Infinity'])
    assert.throws(() => read(text), {
      code: 'USAGE',
      message: `weight: expected a number above 0 and at most 10, not "${text}"`,
    })
})
