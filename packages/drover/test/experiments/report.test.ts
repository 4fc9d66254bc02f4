import assert from 'node:assert/strict'
import { test } from 'node:test'
import { slotRingShares } from '../../src/experiments/a1.ts'
import { type Report, renderReports } from '../../src/experiments/report.ts'
import { quantile, spreadOf } from '../../src/experiments/statistics.ts'

const report: Report = {
  name: 'a1',
  title: 'A <title>',
  question: 'Who & what?',
  setup: ['<script>alert(1)</script>'],
  findings: ['found'],
  charts: [
    {
      kind: 'bars',
      title: 'Bars',
      unit: 'requests',
      rows: [{ label: 'Server 1', value: 10, expected: 8 }],
    },
    {
      kind: 'lines',
      title: 'Lines',
      unit: 'ms',
      points: ['N = 2', 'N = 3'],
      series: [{ name: 'mean', values: [1, 2] }],
    },
  ],
  tables: [{ title: 'Table', heading: ['a', 'b'], rows: [['x "y"', 1_234]] }],
}

test('a report is one page without anything from elsewhere', () => {
  const page = renderReports([report], new Date(0))

  assert.equal(page.match(/<svg /g)?.length, 2)
  assert.doesNotMatch(page, /<script|src=|href=|url\(|@import/)
  assert.match(page, /prefers-color-scheme: dark/)
  assert.match(page, /<td class="number">1,234<\/td>/)
})

test('whatever is shown is escaped', () => {
  const page = renderReports([report], new Date(0))

  assert.ok(page.includes('A &lt;title&gt;'))
  assert.ok(page.includes('Who &amp; what?'))
  assert.ok(page.includes('&lt;script&gt;alert(1)&lt;/script&gt;'))
  assert.ok(page.includes('x &quot;y&quot;'))
})

test('charts have numbers for coordinates, also of nothing', () => {
  const empty: Report = {
    ...report,
    charts: [
      { kind: 'bars', title: 'Bars', unit: 'requests', rows: [] },
      {
        kind: 'lines',
        title: 'Lines',
        unit: 'ms',
        points: ['one'],
        series: [{ name: 'a', values: [0] }],
      },
    ],
  }

  assert.doesNotMatch(renderReports([empty], new Date(0)), /NaN|Infinity|undefined/)
})

test('the expected shares are those of the course', () => {
  const shares = slotRingShares(3).map(({ share }) => Math.round(share * 1000) / 10)

  assert.deepEqual(shares, [84.4, 4.7, 10.9])
})

test('spread and quantiles', () => {
  assert.deepEqual(spreadOf([1, 3]), {
    mean: 2,
    deviation: 1,
    least: 1,
    most: 3,
    mostOverMean: 1.5,
  })
  assert.deepEqual(spreadOf([]), { mean: 0, deviation: 0, least: 0, most: 0, mostOverMean: 0 })
  assert.equal(quantile([5, 1, 3], 0.5), 3)
  assert.equal(quantile([], 0.5), 0)
})
