import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startFrontDoor } from './front-door.ts'

async function render(): Promise<string> {
  const { balancer, add, clock } = await startFrontDoor()
  balancer.expectReplicas('web', 2)
  add('Server 1', 1)
  await clock.advance(10)
  return balancer.metrics()
}

test('counters carry service and replica', async () => {
  const text = await render()

  assert.match(text, /^drover_in_flight\{service="web",replica="Server 1"\} 1$/m)
  assert.match(text, /^drover_responses_total\{service="web",replica="Server 1",status="2xx"\} 7$/m)
  assert.match(text, /^drover_retries_total\{service="web"\} 5$/m)
  assert.match(text, /^drover_transitions_total\{service="web",state="ready"\} 1$/m)
  assert.match(text, /^drover_replicas\{service="web",state="ready"\} 1$/m)
  assert.match(text, /^drover_replicas_expected\{service="web"\} 2$/m)
})

test('the latency histogram adds up', async () => {
  const text = await render()

  const buckets = [...text.matchAll(/^drover_request_seconds_bucket\{.*le="(.*)"\} (\d+)$/gm)]
  assert.deepEqual(
    buckets.slice(0, 3).map((match) => match.slice(1)),
    [
      ['0.0005', '1'],
      ['0.001', '3'],
      ['0.0025', '3'],
    ],
  )
  assert.deepEqual(buckets.at(-1)?.slice(1), ['+Inf', '3'])
  assert.match(text, /^drover_request_seconds_count\{.*\} 3$/m)
})

test('labels are escaped', async () => {
  const text = await render()

  assert.ok(
    text.includes('drover_refused_requests_total{listener="front",reason="no \\"host\\""} 4'),
  )
})

test('each metric is declared once, before its series, and every line is well formed', async () => {
  const lines = (await render()).trimEnd().split('\n')
  const declared = new Set<string>()

  for (const line of lines) {
    const type = /^# TYPE (\w+) (?:counter|gauge|histogram)$/.exec(line)?.[1]
    if (type) {
      assert.ok(!declared.has(type), line)
      declared.add(type)
    } else if (!line.startsWith('# HELP ')) {
      const series = /^(\w+)\{(?:\w+="(?:[^"\\\n]|\\.)*",?)*\} [-0-9.e+]+$/.exec(line)?.[1]
      assert.ok(series, line)
      assert.ok(declared.has(series.replace(/_(?:bucket|sum|count)$/, '')), line)
    }
  }
})
