import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { slotRingShares } from '../../src/experiments/a1.ts'
import { type Outcome, renderIndex, renderReport } from '../../src/experiments/render.ts'
import type { Finished, Report } from '../../src/experiments/report.ts'
import { quantile, spreadOf } from '../../src/experiments/statistics.ts'

const report: Report = {
  question: 'Who & what?',
  setup: ['<script>alert(1)</script>'],
  findings: ['found'],
  claims: [
    { says: 'none < one was lost', holds: true },
    { says: 'two failed', holds: false },
  ],
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

const finished: Finished = {
  name: 'a1',
  title: 'A <title>',
  report,
  command: 'npx drover experiment a1',
  machine: ['2 cores'],
  startedAtMs: 0,
  tookMs: 1_500,
}

test('a report is one page without anything from elsewhere', () => {
  const page = renderReport(finished)

  assert.equal(page.match(/<svg /g)?.length, 2)
  assert.doesNotMatch(page, /<script|src=|href=|url\(|@import/)
  assert.match(page, /prefers-color-scheme: dark/)
  assert.match(page, /<td class="number">1,234<\/td>/)
})

test('the page takes no style but its own, wherever it is opened', () => {
  const page = renderReport(finished)

  const style = /<style>([\s\S]*)<\/style>/.exec(page)?.[1] ?? ''
  const hash = createHash('sha256').update(style).digest('base64')
  assert.ok(page.includes(`default-src 'none'; style-src 'sha256-${hash}'`))
  assert.doesNotMatch(page, / style=/)
})

test('a report says what held, what did not, how it was made and what others report', () => {
  const page = renderReport(finished)
  const told = renderReport({ ...finished, report: { ...report, reported: ['80 / 10 / 10'] } })

  assert.match(page, /✓<\/strong> None &lt; one was lost/)
  assert.match(page, /✗<\/strong> Two failed/)
  assert.match(page, /<pre>npx drover experiment a1<\/pre>/)
  assert.match(page, /1970-01-01 00:00 UTC, in 1\.5 s/)
  assert.match(page, /No figures of the course’s document are at hand/)
  assert.match(told, /80 \/ 10 \/ 10/)
  assert.doesNotMatch(told, /No figures/)
})

test('the index links each report, and says which failed and why', () => {
  const outcomes: Outcome[] = [
    { finished, file: 'a1.html' },
    { title: 'Herd', failure: 'port <1> is taken' },
  ]

  const page = renderIndex(outcomes, 'npx drover experiment all')

  assert.match(page, /<a href="a1\.html">A &lt;title&gt;<\/a>/)
  assert.match(page, /✗<\/strong> Two failed/)
  assert.match(page, /port &lt;1&gt; is taken/)
})

test('whatever is shown is escaped', () => {
  const page = renderReport(finished)

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

  assert.doesNotMatch(renderReport({ ...finished, report: empty }), /NaN|Infinity|undefined/)
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
