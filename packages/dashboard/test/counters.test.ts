import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCounters } from '../src/live/counters.ts'
import { parseMetrics } from '../src/live/metrics-text.ts'
import { quantile } from '../src/live/quantile.ts'
import { compare } from '../src/live/readings.ts'

const metrics = (
  requests: number,
  slow: number,
  failed: number,
) => `# HELP drover_requests_total Requests sent.
# TYPE drover_requests_total counter
drover_requests_total{service="web",replica="Server 1"} ${requests}
drover_responses_total{service="web",replica="Server 1",status="2xx"} ${requests - failed}
drover_responses_total{service="web",replica="Server 1",status="5xx"} ${failed}
drover_request_seconds_bucket{service="web",replica="Server 1",le="0.1"} ${requests - slow}
drover_request_seconds_bucket{service="web",replica="Server 1",le="1"} ${requests}
drover_request_seconds_bucket{service="web",replica="Server 1",le="+Inf"} ${requests}
`

test('labels are read with what is escaped in them', () => {
  assert.deepEqual(
    parseMetrics('up{name="a \\"b\\"\\n\\\\c",x="}"} 1.5\nplain 2 1700\nnonsense\n'),
    [
      { name: 'up', labels: { name: 'a "b"\n\\c', x: '}' }, value: 1.5 },
      { name: 'plain', labels: {}, value: 2 },
    ],
  )
})

test('between two readings stand rates, errors and latencies', () => {
  const before = readCounters(metrics(100, 0, 0))
  const after = readCounters(metrics(300, 100, 20))

  const web = compare(before, after, 5_000, 2).get('web')

  assert.equal(web?.requestsPerSecond, 100)
  assert.equal(web?.errorsPerSecond, 10)
  assert.equal(web?.p50Seconds, 0.1)
  assert.ok((web?.p99Seconds ?? 0) > 0.9)
  assert.deepEqual([...(web?.byReplica ?? [])], [['Server 1', 100]])
})

test('a successor with the name of a dead replica counts from nothing', () => {
  const before = readCounters(metrics(1_000, 0, 7))
  const after = readCounters(metrics(30, 0, 0))

  const web = compare(before, after, 5_000, 1).get('web')

  assert.equal(web?.requestsPerSecond, 30)
  assert.equal(web?.errorsPerSecond, 0)
})

test('without a request there is no latency', () => {
  const counters = readCounters(metrics(5, 1, 0))

  assert.equal(compare(counters, counters, 0, 1).get('web')?.p50Seconds, undefined)
})

test('quantiles lie within their bucket, and above all bounds at the last one', () => {
  const buckets = new Map([
    [0.001, 0],
    [0.01, 50],
    [0.1, 90],
    [Number.POSITIVE_INFINITY, 100],
  ])

  assert.ok(Math.abs((quantile(buckets, 0.5) ?? 0) - 0.01) < 1e-9)
  assert.ok(Math.abs((quantile(buckets, 0.7) ?? 0) - 0.055) < 1e-9)
  assert.equal(quantile(buckets, 0.99), 0.1)
  assert.equal(quantile(new Map(), 0.5), undefined)
})

test('a service of which nothing runs does nothing', () => {
  const counters = readCounters('drover_replicas_expected{service="broken"} 2\n')

  const broken = compare(counters, counters, 5_000, 2).get('broken')

  assert.deepEqual([broken?.requestsPerSecond, broken?.errorsPerSecond], [0, 0])
})
