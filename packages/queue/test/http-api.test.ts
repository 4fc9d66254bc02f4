import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { silentLog, systemClock } from '@drover/kernel'
import { createHttpApi } from '../src/http/http-api.ts'
import { type RunningQueue, startQueue } from '../src/start-queue.ts'

describe('HTTP API', () => {
  let folder: string
  let queue: RunningQueue
  let api: Awaited<ReturnType<typeof createHttpApi>>
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'queue-http-'))
    const limits = { messageBytesMax: 2_000, batchBytesMax: 10_000, topicsMax: 8 }
    queue = await startQueue({ dataFolder: folder, runBrokers: 'here', logger: silentLog, limits })
    const { client } = queue
    api = await createHttpApi({ engine: client, admin: client, clock: systemClock, log: silentLog })
  })
  after(async () => {
    await api.close()
    await queue.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const call = async (
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    url: string,
    payload?: object | string | Buffer,
    type = 'application/json',
  ) => {
    const headers = payload === undefined ? {} : { 'content-type': type }
    const body = payload === undefined ? {} : { payload }
    const reply = await api.inject({ method, url, headers, ...body })
    const json = reply.headers['content-type']?.includes('json') && reply.body ? reply.json() : {}
    return { status: reply.statusCode, json, reply }
  }
  const make = async (name: string, options = {}) => {
    const { status } = await call('POST', '/v1/topics', {
      name,
      options: { partitions: 1, ...options },
    })
    assert.equal(status, 201)
  }

  it('stores JSON, lines and length-prefixed values, and gives them back in all three', async () => {
    await make('formats')
    const at = '/v1/topics/formats/messages'
    const json = {
      messages: [{ value: 'a', key: 'k', headers: { h: '1' } }, { valueBase64: '/w==' }],
    }
    const stored = await call('POST', at, json)
    assert.equal(stored.status, 201)
    assert.deepEqual(
      stored.json.receipts.map((one: { offset: number }) => one.offset),
      [0, 1],
    )
    await call('POST', at, '{"value":"b"}\n{"value":"c"}\n', 'application/x-ndjson')
    const binary = Buffer.from([1, 0, 0, 0, 100, 2, 0, 0, 0, 101, 102])
    await call('POST', at, binary, 'application/octet-stream')

    const from = '/v1/topics/formats/partitions/0/messages'
    const { json: read } = await call('GET', `${from}?offset=0`)
    assert.deepEqual(
      read.messages.map(
        (one: { value?: string; valueBase64?: string }) => one.value ?? one.valueBase64,
      ),
      ['a', '/w==', 'b', 'c', 'd', 'ef'],
    )
    assert.equal(read.nextOffset, 6)
    const lines = await api.inject({
      url: `${from}?offset=4`,
      headers: { accept: 'application/x-ndjson' },
    })
    assert.equal(lines.body.trim().split('\n').length, 2)
    const bytes = await api.inject({
      url: `${from}?offset=5`,
      headers: { accept: 'application/octet-stream' },
    })
    assert.deepEqual([...bytes.rawPayload], [5, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 101, 102])
  })

  it('streams messages as they come until the reader hangs up', async () => {
    await make('live')
    const base = await api.listen({ port: 0, host: '127.0.0.1' })
    const stop = new AbortController()
    const stream = await fetch(`${base}/v1/topics/live/partitions/0/messages?stream=true`, {
      signal: stop.signal,
    })
    const reader = stream.body?.getReader()
    await call('POST', '/v1/topics/live/messages', { messages: [{ value: 'now' }] })
    let text = ''
    while (!text.includes('now')) text += new TextDecoder().decode((await reader?.read())?.value)
    assert.match(text, /"value":"now"/)
    stop.abort()
  })

  it('hands out work, takes it back, and says what became of late tokens', async () => {
    await make('work')
    await call('POST', '/v1/topics/work/messages', { messages: [{ value: 'x' }, { value: 'y' }] })
    const { json } = await call('POST', '/v1/topics/work/leases', { count: 2 })
    const tokens = json.leases.map((one: { token: string }) => one.token)
    assert.equal(json.leases[0].message.value, 'x')
    assert.deepEqual((await call('GET', '/v1/topics/work/counts')).json, {
      ready: 0,
      leased: 2,
      delayed: 0,
    })
    assert.equal((await call('POST', '/v1/leases/extend', { tokens, leaseMs: 60_000 })).status, 200)
    await call('POST', '/v1/leases/nack', { tokens: [tokens[0]], delayMs: 60_000 })
    assert.equal(
      (await call('POST', '/v1/leases/ack', { tokens })).json.outcomes[0].outcome,
      'late',
    )
    assert.deepEqual((await call('GET', '/v1/topics/work/counts')).json, {
      ready: 0,
      leased: 0,
      delayed: 1,
    })
    const cancelled = await call('POST', '/v1/topics/work/cancel', { partition: 0, offset: 0 })
    assert.deepEqual(cancelled.json, { state: 'waiting' })
  })

  it('leads a group by heartbeats and commits', async () => {
    await make('group')
    await call('POST', '/v1/topics/group/messages', { messages: [{ value: 'x' }, { value: 'y' }] })
    const at = '/v1/topics/group/groups/g'
    const { json: share } = await call('PUT', `${at}/members/m1`, {})
    assert.deepEqual(share.partitions, [0])
    const commit = { offset: 1, member: 'm1', generation: share.generation }
    assert.equal((await call('PUT', `${at}/offsets/0`, commit)).status, 204)
    assert.deepEqual((await call('GET', `${at}/offsets`)).json, { offsets: { 0: 1 } })
    const stale = await call('PUT', `${at}/offsets/0`, { ...commit, generation: 0 })
    assert.equal(stale.json.code, 'GENERATION_STALE')
    const { json } = await call('GET', '/v1/topics/group/lag')
    assert.equal(json.lag.find((one: { group: string }) => one.group === 'g').lag, 1)
  })

  it('refuses what is wrong with a named fault and stores nothing', async () => {
    await make('strict')
    const at = '/v1/topics/strict/messages'
    const big = 'x'.repeat(3_000)
    const many = Array.from({ length: 20 }, () => ({ value: 'x'.repeat(1_000) }))
    const cases: [string, Awaited<ReturnType<typeof call>>][] = [
      [
        'MESSAGE_TOO_LARGE',
        await call('POST', at, { messages: [{ value: 'ok' }, { value: big }] }),
      ],
      ['BATCH_TOO_LARGE', await call('POST', at, { messages: many })],
      ['BATCH_INVALID', await call('POST', at, { messages: [] })],
      ['BATCH_INVALID', await call('POST', at, { messages: [{ value: 7 }] })],
      ['BATCH_INVALID', await call('POST', at, '{"value":"a"}\n{"va', 'application/x-ndjson')],
      [
        'BATCH_INVALID',
        await call('POST', at, Buffer.from([9, 0, 0, 0, 1]), 'application/octet-stream'),
      ],
      ['MESSAGE_INVALID', await call('POST', at, { messages: [{}] })],
      ['PARTITION_UNKNOWN', await call('POST', at, { messages: [{ value: 'x', partition: 9 }] })],
      [
        'TOPIC_UNKNOWN',
        await call('POST', '/v1/topics/none/messages', { messages: [{ value: 'x' }] }),
      ],
      ['NAME_INVALID', await call('POST', '/v1/topics', { name: '../etc' })],
      ['TOPIC_EXISTS', await call('POST', '/v1/topics', { name: 'strict' })],
      [
        'OPTION_INVALID',
        await call('POST', '/v1/topics', { name: 'n', options: { partitions: 0 } }),
      ],
      [
        'OFFSET_OUT_OF_RANGE',
        await call('GET', '/v1/topics/strict/partitions/0/messages?offset=5'),
      ],
      ['TOKEN_INVALID', await call('POST', '/v1/leases/ack', { tokens: ['nonsense'] })],
      ['REQUEST_INVALID', await call('POST', '/v1/topics/strict/leases', { count: 0 })],
      ['REQUEST_INVALID', await call('POST', at, '{"messages": [', 'application/json')],
      ['LAST_BROKER', await call('DELETE', '/v1/brokers/broker0')],
      ['BROKER_UNKNOWN', await call('POST', '/v1/brokers/nobody/test')],
    ]
    for (const [code, { json, status }] of cases) {
      assert.equal(json.code, code)
      assert.equal(status, json.status)
    }
    const { json } = await call('GET', '/v1/topics/strict')
    assert.equal(json.bounds[0].endOffset, 0)
  })

  it('refuses more topics than it may have, and describes itself', async () => {
    let refused: { json: { code?: string } } = { json: {} }
    for (let index = 0; index < 10 && !refused.json.code; index++)
      refused = await call('POST', '/v1/topics', {
        name: `more${index}`,
        options: { partitions: 1 },
      })
    assert.equal(refused.json.code, 'TOPICS_TOO_MANY')
    const { json } = await call('GET', '/openapi.json')
    assert.ok(json.paths['/v1/topics/{topic}/leases'].post)
    const metrics = await api.inject('/metrics')
    assert.match(
      metrics.body,
      /drover_queue_lag_messages\{topic="group",kind="offsets",group="g"\} 1/,
    )
    assert.equal((await call('POST', '/v1/brokers/broker0/test')).json.sound, true)
    assert.equal((await call('GET', '/health')).json.ok, true)
  })
})
