import assert from 'node:assert/strict'
import { test } from 'node:test'
import { numberOr, readPair } from '../../src/commands/pairs.ts'

test('a pair is parted at its first equals sign', () => {
  assert.deepEqual(readPair('--env', 'A=1'), ['A', '1'])
  assert.deepEqual(readPair('--env', 'A=b=c'), ['A', 'b=c'])
  assert.deepEqual(readPair('--env', 'A='), ['A', ''])
})

test('a word without a name is refused, and its option named', () => {
  for (const pair of ['A', '=1', ''])
    assert.throws(() => readPair('--env', pair), {
      code: 'USAGE',
      message: /^--env: expected name/,
    })
})

test('numbers are read as such, and other texts stay', () => {
  assert.deepEqual(['7', '-1.5', '1e3', 'fnv', ''].map(numberOr), [7, -1.5, '1e3', 'fnv', ''])
})
