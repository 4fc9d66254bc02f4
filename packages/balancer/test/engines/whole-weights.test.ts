import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wholeWeights } from '../../src/engines/whole-weights.ts'

test('whole weights keep proportions, and whole ones stay', () => {
  assert.deepEqual(wholeWeights([8, 1, 1], 100), [8, 1, 1])
  assert.deepEqual(wholeWeights([1, 0.1], 100), [100, 10])
  assert.deepEqual(wholeWeights([1_000, 1], 100), [100, 1])
  assert.deepEqual(wholeWeights([], 100), [])
})
