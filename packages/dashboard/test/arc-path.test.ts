import assert from 'node:assert/strict'
import { test } from 'node:test'
import { arcPath, stretchesOf } from '../src/ring/arc-path.ts'

const band = { inner: 50, outer: 100 }

test('a quarter begins at the top and ends at the right', () => {
  assert.equal(
    arcPath({ from: 0, length: 0.25 }, band),
    'M0.00 -100.00A100 100 0 0 1 100.00 -0.00L50.00 -0.00A50 50 0 0 0 0.00 -50.00Z',
  )
})

test('more than half goes the long way, and the whole circle is drawn too', () => {
  assert.match(arcPath({ from: 0.1, length: 0.6 }, band), /A100 100 0 1 1/)
  assert.match(arcPath({ from: 0, length: 1 }, band), /A100 100 0 1 1 -0\.06 -100\.00/)
})

test('shares follow one another around the circle', () => {
  assert.deepEqual(stretchesOf([0.5, 0.25, 0.25]), [
    { from: 0, length: 0.5 },
    { from: 0.5, length: 0.25 },
    { from: 0.75, length: 0.25 },
  ])
})
