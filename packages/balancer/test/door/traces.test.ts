import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { TracesPlan } from '../../src/plan.ts'
import { until } from '../until.ts'
import { header, statusOf } from './messages.ts'
import { planOf, serviceOf } from './plans.ts'
import { startTimedDoor } from './running-door.ts'
import { startUpstream } from './upstream.ts'

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly {
    key: string
    value: { stringValue?: string; intValue?: string }
  }[]
  readonly status: { readonly code?: number }
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly object[] }
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[]
  }[]
}

/** A collector that keeps what it is sent; `status` is what it answers. */
async function startCollector(t: TestContext, status = () => 200) {
  const exports: Export[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
    })
    request.on('end', () => {
      assert.equal(request.headers['content-type'], 'application/json')
      exports.push(JSON.parse(text) as Export)
      response.writeHead(status()).end('{}')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  return {
    plan: (sampleShare: number): TracesPlan => {
      return { url: `http://127.0.0.1:${port}/v1/traces`, sampleShare, name: 'door under test' }
    },
    exports,
    spans: () =>
      exports.flatMap(({ resourceSpans }) =>
        resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
      ),
  }
}

const get = (lines = '') => `GET /a?b=c HTTP/1.1\r\nHost: a\r\n${lines}\r\n`
const given = `00-${'a'.repeat(32)}-${'b'.repeat(16)}`

test('a request is a span whose child the replica is, with what became of it', async (t) => {
  const collector = await startCollector(t)
  const upstream = await startUpstream(t)
  const plan = { ...planOf(serviceOf([upstream.port])), traces: collector.plan(1) }
  const door = await startTimedDoor(t, plan)
  const client = await door.client()

  client.send(get())
  assert.equal(statusOf(await client.answer()), 200)
  await door.clock.advance(1_000)
  await until('a span', () => collector.spans().length === 1)

  const [span] = collector.spans()
  const [seen] = upstream.requests
  assert.equal(seen && header(seen, 'traceparent'), `00-${span?.traceId}-${span?.spanId}-01`)
  assert.equal(span?.parentSpanId, undefined)
  assert.equal(span?.name, 'GET web')
  assert.equal(span?.kind, 2)
  assert.ok(BigInt(span?.endTimeUnixNano ?? 0) >= BigInt(span?.startTimeUnixNano ?? 1))
  assert.equal(span?.startTimeUnixNano.slice(0, 3), '176')
  const values = new Map(
    span?.attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue]),
  )
  assert.equal(values.get('http.response.status_code'), '200')
  assert.equal(values.get('url.path'), '/a')
  assert.equal(values.get('drover.replica'), `replica ${upstream.port}`)
  assert.deepEqual(collector.exports[0]?.resourceSpans[0]?.resource.attributes, [
    { key: 'service.name', value: { stringValue: 'door under test' } },
  ])
})

test('a trace that a client began goes on: sampled when it says so, as it came when not', async (t) => {
  const collector = await startCollector(t)
  const upstream = await startUpstream(t)
  const plan = { ...planOf(serviceOf([upstream.port])), traces: collector.plan(1) }
  const door = await startTimedDoor(t, plan)
  const client = await door.client()

  for (const flags of ['00', '01']) {
    client.send(get(`traceparent: ${given}-${flags}\r\n`))
    await client.answer()
  }
  await door.clock.advance(1_000)
  await until('a span', () => collector.spans().length > 0)

  assert.equal(collector.spans().length, 1)
  const [span] = collector.spans()
  assert.equal(span?.traceId, 'a'.repeat(32))
  assert.equal(span?.parentSpanId, 'b'.repeat(16))
  assert.match(span?.spanId ?? '', /^[0-9a-f]{16}$/)
  assert.deepEqual(
    upstream.requests.map((seen) => header(seen, 'traceparent')),
    [`${given}-00`, `${given}-01`],
  )
})

test('a share of the traces is sampled, and without traces none is', async (t) => {
  const collector = await startCollector(t)
  const upstream = await startUpstream(t)
  const services = planOf(serviceOf([upstream.port]))
  const door = await startTimedDoor(t, { ...services, traces: collector.plan(0.5) })
  const client = await door.client()
  const sampled = () =>
    upstream.requests.filter((seen) => header(seen, 'traceparent')?.endsWith('-01')).length

  for (let count = 0; count < 200; count++) {
    client.send(get())
    await client.answer()
  }
  const half = sampled()
  await door.engine.apply(services)
  client.send(get())
  await client.answer()

  assert.ok(half > 60 && half < 140, `${half} of 200`)
  assert.equal(sampled(), half)
  await until(
    'those that were left when it was turned off',
    () => collector.spans().length === half,
  )
})

test('a collector that is away or refuses costs spans, and no request, and is told of once', async (t) => {
  const collector = await startCollector(t, () => 503)
  const upstream = await startUpstream(t)
  const away = { url: 'http://127.0.0.1:1/v1/traces', sampleShare: 1, name: 'x' }
  for (const traces of [collector.plan(1), away]) {
    const door = await startTimedDoor(t, { ...planOf(serviceOf([upstream.port])), traces })
    const client = await door.client()
    for (let count = 0; count < 5; count++) {
      client.send(get())
      assert.equal(statusOf(await client.answer()), 200)
      await door.clock.advance(1_000)
      await until('word of the collector', () => door.events.length > 0)
    }
    assert.equal(door.events.length, 1)
    assert.match(JSON.stringify(door.events), /"trouble".*takes no spans/)
  }
})
