import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lowerQuartile, median, tableLines } from '../lab/table.ts'

test('columns are in line, the first to the left and the others to the right', () => {
  const lines = tableLines([
    ['door', 'µs'],
    ['drover', '9.1'],
    ['n', '12.0'],
  ])

  assert.deepEqual(lines, ['door      µs', '────────────', 'drover   9.1', 'n       12.0'])
})

test('the median is the middle one, or the mean of the two in the middle', () => {
  assert.equal(median([3, 1, 2]), 2)
  assert.equal(median([4, 1, 3, 2]), 2.5)
  assert.ok(Number.isNaN(median([])))
})

test('a quarter of the values does not pass the lower quartile', () => {
  assert.equal(lowerQuartile([8, 7, 6, 5, 4, 3, 2, 1]), 2)
  assert.equal(lowerQuartile([5]), 5)
})
