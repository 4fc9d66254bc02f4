import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  formatBytes,
  formatCount,
  formatSeconds,
  formatShare,
  formatSpan,
  plural,
} from '../src/kit/format.ts'

test('numbers have three digits at the most, and say their thousands', () => {
  const numbers = [0, 7, 0.128, 12.34, 136.2, 9_999, 12_345, 3_400_000, 5e9, Number.NaN]

  assert.deepEqual(numbers.map(formatCount), [
    ...['0', '7', '0.13', '12.3', '136', '9999', '12.3 k', '3.4 M', '5 G', '–'],
  ])
})

test('durations take the unit that fits', () => {
  assert.deepEqual([undefined, 0.00034, 0.0012, 0.25, 2.5].map(formatSeconds), [
    ...['–', '340 µs', '1.2 ms', '250 ms', '2.5 s'],
  ])
  assert.deepEqual([-5, 4_900, 61_000, 7_500_000, 90_000_000].map(formatSpan), [
    ...['0 s', '4 s', '1 min', '2 h 5 min', '1 d 1 h'],
  ])
})

test('sizes and shares', () => {
  assert.deepEqual([0, 1_023, 1_536, 50 * 2 ** 30].map(formatBytes), [
    ...['0 B', '1023 B', '1.5 KiB', '50 GiB'],
  ])
  assert.deepEqual([0, 0.0004, 0.034, 0.42, 1].map(formatShare), [
    ...['0 %', '<0.1 %', '3.4 %', '42 %', '100 %'],
  ])
  assert.deepEqual(
    [1, 3].map((count) => plural(count, 'replica')),
    ['1 replica', '3 replicas'],
  )
})
