import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Histogram } from '../lab/histogram.ts'

test('percentiles are right to one percent', () => {
  const histogram = new Histogram()
  for (let value = 1; value <= 10_000; value++) histogram.add(value / 100)

  for (const percent of [1, 50, 90, 99, 99.9]) {
    const found = histogram.percentile(percent)
    assert.ok(Math.abs(found / percent - 1) < 0.01, `p${percent} is ${found}`)
  }
  assert.equal(histogram.percentile(100), 100)
  assert.ok(Math.abs(histogram.meanMs - 50.005) < 1e-6)
})

test('a histogram survives the way to another process', () => {
  const histogram = new Histogram()
  for (const value of [0.1, 0.1, 5, 70]) histogram.add(value)

  const copy = Histogram.from(JSON.parse(JSON.stringify(histogram)))

  assert.equal(copy.count, 4)
  for (const percent of [25, 50, 75, 100])
    assert.ok(Math.abs(copy.percentile(percent) / histogram.percentile(percent) - 1) < 0.01)
})

test('nothing counted has no percentile', () => {
  assert.equal(new Histogram().percentile(99), 0)
})
