import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawChart } from '../../src/experiments/charts/charts.ts'
import { niceCeiling } from '../../src/experiments/charts/svg.ts'

test('a scale ends at a value whose quarters are round, not far above the greatest', () => {
  for (const value of [0.003, 0.7, 1, 7, 34, 99, 101, 5_215, 123_456]) {
    const most = niceCeiling(value)
    assert.ok(most >= value && most <= 1.6 * value, `${value}: ${most}`)
    assert.ok(String(Number((most / 4).toPrecision(12))).replace(/\D/g, '').length <= 6, `${most}`)
  }
  assert.equal(niceCeiling(0), 1)
})

test('bars are as long as their values, and the mark lies where it was expected', () => {
  const svg = drawChart({
    kind: 'bars',
    title: 'calls',
    unit: 'calls',
    rows: [
      { label: 'A', value: 80, expected: 40 },
      { label: 'B', value: 40 },
    ],
  })

  const widths = [...svg.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width))
  const left = Number(/<rect x="(\d+)"/.exec(svg)?.[1])
  const mark = Number(/class="mark" x1="([\d.]+)"/.exec(svg)?.[1])
  assert.ok(Math.abs((widths[0] ?? 0) - 2 * (widths[1] ?? 0)) < 0.2)
  assert.ok(Math.abs(mark - left - (widths[1] ?? 0)) < 0.2)
  assert.match(svg, />Calls \(calls\)</)
})

test('many points share a few labels, and have no dot each', () => {
  const points = Array.from({ length: 61 }, (_, index) => (index / 4).toFixed(1))
  const svg = drawChart({
    kind: 'lines',
    title: 'Rate',
    unit: 'jobs/s',
    points,
    axis: 'seconds',
    series: [{ name: 'accepted', values: points.map(() => 40) }],
    bands: [{ from: 20, to: 40, label: 'queue stopped' }],
  })

  const labels = [...svg.matchAll(/text-anchor="middle" class="faint">(\d[\d.]*)</g)]
  assert.deepEqual(
    labels.map(([, label]) => label),
    ['0.0', '2.0', '4.0', '6.0', '8.0', '10.0', '12.0', '14.0'],
  )
  assert.doesNotMatch(svg, /<circle/)
  assert.match(svg, /class="band" x="273\.3" y="44" width="203\.3"/)
  assert.match(svg, />seconds</)
})
