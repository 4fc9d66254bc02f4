import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import fastCheck from 'fast-check'
import { WebSocket } from 'ws'
import {
  createTopology,
  type FenceMessage,
  type HerdServer,
  serveHerd,
  watchHerd,
} from '../src/index.ts'
import { renderBriefHits } from '../src/server/brief-hits.ts'
import { HerdState } from '../src/state/herd-state.ts'
import { eventually, exchange } from './line-client.ts'
import { recordOf } from './records.ts'

const topology = createTopology('alone', { Clark: 0 }, [])
const options = {
  key: Buffer.from('a key for this test only'),
  http: { host: '127.0.0.1', port: 0 },
  recordsMax: 10_000,
  sync: false,
}
let server: HerdServer

beforeEach(async () => {
  server = await serveHerd('Clark', topology, options)
})
afterEach(() => server.stop())

const at = (client: string, place: string, time: string) =>
  exchange(server.ports.clients, `IAMAT ${client} ${place} ${time}\n`)

async function get(path: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`http://127.0.0.1:${server.ports.http}${path}`)
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

const names = ({ body }: Awaited<ReturnType<typeof get>>) =>
  (body.clients as { client: string }[]).map(({ client }) => client)

test('a client, those within a circle or a box, and the nearest are told', async () => {
  await at('kiwi', '+34.068930-118.445127', '1.5')
  await at('near', '+34.0700-118.4500', '1.5')
  await at('far', '+35.0-118.0', '1.5')

  const { body } = await get('/v1/clients/kiwi')
  assert.deepEqual(
    [body.client, body.server, body.latitude, body.longitude, body.location, body.time],
    ['kiwi', 'Clark', 34.06893, -118.445127, '+34.068930-118.445127', '1.5'],
  )
  const center = 'latitude=34.068930&longitude=-118.445127'
  assert.deepEqual(names(await get(`/v1/nearby?${center}&radiusKm=5`)), ['kiwi', 'near'])
  assert.deepEqual(names(await get(`/v1/nearest?${center}&count=2`)), ['kiwi', 'near'])
  const box = 'south=34.5&north=36&west=-119&east=-117'
  assert.deepEqual(names(await get(`/v1/box?${box}`)), ['far'])
})

test('unknown clients and queries that do not fit are refused with a problem', async () => {
  assert.deepEqual((await get('/v1/clients/nobody')).body.code, 'HERD_UNKNOWN')
  assert.equal((await get('/v1/nearby?latitude=91&longitude=0&radiusKm=1')).status, 400)
  assert.equal((await get('/v1/nearby?latitude=0&longitude=0&radiusKm=-1')).status, 400)
  assert.equal((await get('/v1/nearest?latitude=0&longitude=0&count=10001')).status, 400)
  const nowhere = await get('/v1/box?south=36&north=34.5&west=-119&east=-117')
  assert.deepEqual([nowhere.status, nowhere.body.code], [400, 'HERD_QUERY_INVALID'])
  assert.match(String(nowhere.body.detail), /south \(36\) is above north \(34.5\)/)
})

test('pages of other sites may not ask', async () => {
  const url = `http://127.0.0.1:${server.ports.http}/v1/status`
  const foreign = await fetch(url, { headers: { origin: 'https://evil.example' } })
  assert.equal(foreign.status, 403)

  const socket = new WebSocket(`${url.replace('http', 'ws').replace('status', 'live')}`, {
    origin: 'https://evil.example',
  })
  const [error] = (await once(socket, 'error')) as [Error]
  assert.match(error.message, /404/)
})

test('who asks for a WebSocket and is gone before the answer harms nobody', async (t) => {
  // The test runner takes what would have ended the process.
  const uncaught: Error[] = []
  const note = (error: Error) => uncaught.push(error)
  process.on('uncaughtExceptionMonitor', note)
  t.after(() => process.off('uncaughtExceptionMonitor', note))
  for (const path of ['/nowhere', '/v1/live'])
    for (let round = 0; round < 50; round++) {
      const socket = connect(server.ports.http, '127.0.0.1').on('error', () => {})
      await once(socket, 'connect')
      const head = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket`
      const key = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
      socket.write(`${head}\r\n${key}\r\n\r\n`)
      if (round % 2 === 0) await new Promise((resolve) => setImmediate(resolve))
      socket.resetAndDestroy()
    }

  assert.match(await at('kiwi', '+1+1', '1'), /^AT Clark /)
  assert.equal((await get('/v1/clients/kiwi')).status, 200)
  assert.deepEqual(uncaught, [])
})

test('a fence tells who enters, moves in it and leaves', async () => {
  const told: FenceMessage[] = []
  const stop = new AbortController()
  const address = { host: '127.0.0.1', port: server.ports.http }
  const center = { latitude: 34.07, longitude: -118.45 }
  const shape = { kind: 'circle', center, radiusKm: 2 } as const
  const watching = watchHerd(address, shape, (message) => told.push(message), stop.signal)
  await eventually(() => server.fences.count === 1, 'the fence')
  await at('kiwi', '+35.0-118.0', '1')
  await at('kiwi', '+34.07-118.45', '2')
  await at('kiwi', '+34.071-118.45', '3')
  await at('kiwi', '+35.0-118.0', '4')
  await eventually(() => told.length === 3, 'three crossings')
  stop.abort()
  await watching

  assert.deepEqual(
    told.map(({ event, client, time }) => [event, client, time]),
    [
      ['enter', 'kiwi', '2'],
      ['move', 'kiwi', '3'],
      ['leave', 'kiwi', '4'],
    ],
  )
  await eventually(() => server.fences.count === 0, 'the fence to go')
})

test('the whole map is told, then each one who moves; nonsense is refused', async () => {
  await at('early', '+1+1', '1')
  const socket = new WebSocket(`ws://127.0.0.1:${server.ports.http}/v1/live`)
  const told: { clients?: { client: string }[]; error?: string }[] = []
  socket.on('message', (data) => told.push(JSON.parse(String(data))))
  await once(socket, 'open')
  socket.send('{"watch":"map","all":true}')
  const has = (client: string) =>
    told.some((message) => message.clients?.some((each) => each.client === client))
  await eventually(() => has('early'), 'the early one')
  await at('late', '+1+1', '1')
  await eventually(() => has('late'), 'the late one')

  for (const nonsense of ['{', '[]', '{"watch":"x","circle":{"latitude":91}}'])
    socket.send(nonsense)
  await eventually(() => told.filter(({ error }) => error).length === 3, 'three refusals')
  socket.terminate()
})

test('brief answers name the same clients at the same distances, whatever the ids are', async () => {
  const ids = ['kiwi', '"quoted"', 'back\\slash', '\xe9\xff', '{', '\x01\x7f', 'z'.repeat(3_000)]
  for (const [number, id] of ids.entries()) await at(id, `+34.0${number}-118.4`, '1')
  const circle = { latitude: 34, longitude: -118.4, radiusKm: 50 }
  const query = 'latitude=34&longitude=-118.4'
  const full = await get(`/v1/nearby?${query}&radiusKm=50`)
  const wanted = (full.body.clients as { client: string; distanceKm: number }[]).map(
    ({ client, distanceKm }) => ({ client, distanceKm: Math.round(distanceKm * 1_000) / 1_000 }),
  )
  assert.deepEqual(
    wanted.map(({ client }) => client),
    ids,
  )

  assert.deepEqual((await get(`/v1/nearby?${query}&radiusKm=50&brief=true`)).body, {
    clients: wanted,
  })
  assert.deepEqual((await get(`/v1/nearest?${query}&count=3&brief=true`)).body, {
    clients: wanted.slice(0, 3),
  })
  assert.deepEqual((await get('/v1/nearby?latitude=-9&longitude=9&radiusKm=1&brief=true')).body, {
    clients: [],
  })
  const socket = new WebSocket(`ws://127.0.0.1:${server.ports.http}/v1/live`)
  await once(socket, 'open')
  const ask = async (message: object) => {
    socket.send(JSON.stringify(message))
    return JSON.parse(String((await once(socket, 'message'))[0]))
  }
  assert.deepEqual(await ask({ find: 'q"1', circle, limit: 2, brief: true }), {
    find: 'q"1',
    clients: wanted.slice(0, 2),
  })
  assert.deepEqual(await ask({ find: 'q2', circle }), { find: 'q2', ...full.body })
  socket.terminate()
})

test('distances of every size are written as JSON numbers', () => {
  const state = new HerdState({
    recordsMax: 1,
    textBytesMax: 1_048_576,
    lifetimeMs: 0,
    hashSeed: 1,
  })
  state.put(recordOf(state.origins.enter('A', 1), { key: 'k' }), 0)
  fastCheck.assert(
    fastCheck.property(fastCheck.double({ min: 0, max: 20_016, noNaN: true }), (distanceKm) => {
      const text = renderBriefHits(state, '', [{ slot: 0, distanceKm }]).toString()
      const [hit] = JSON.parse(text).clients
      assert.deepEqual(hit, { client: 'k', distanceKm: Math.round(distanceKm * 1_000) / 1_000 })
    }),
  )
})

test('metrics are told in the text format', async () => {
  await at('kiwi', '+1+1', '1')
  const response = await fetch(`http://127.0.0.1:${server.ports.http}/metrics`)

  assert.match(await response.text(), /^drover_herd_lines_total\{kind="iamat"\} 1$/m)
})

test('with sync a snapshot is made at the end and loaded at the start', async () => {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'drover-herd-'))
  const kept = { ...options, sync: true, dataDirectory }
  const first = await serveHerd('Clark', topology, kept)
  await exchange(first.ports.clients, 'IAMAT kiwi +1+1 1\n')
  await first.stop()
  const second = await serveHerd('Clark', topology, kept)

  assert.match(
    await exchange(second.ports.clients, 'WHATSAT kiwi 0 0\n'),
    /^AT Clark \S+ kiwi \+1\+1 1\n/,
  )
  await second.stop()
  await rm(dataDirectory, { recursive: true })
})

test('a clock too far ahead is answered, and does not block its client', async () => {
  const careful = await serveHerd('Clark', topology, { ...options, skewMs: 60_000 })
  const ahead = Math.floor(Date.now() / 1_000) + 3_600
  const answer = await exchange(careful.ports.clients, `IAMAT kiwi +1+1 ${ahead}\n`)
  await exchange(careful.ports.clients, 'IAMAT kiwi +2+2 1\n')

  assert.match(answer, /^AT Clark -\d+\.\d{9} kiwi \+1\+1 \d+\n$/)
  assert.match(await exchange(careful.ports.clients, 'WHATSAT kiwi 0 0\n'), / kiwi \+2\+2 1\n/)
  await careful.stop()
})

test('more connections than may be are closed at once', async () => {
  const small = await serveHerd('Clark', topology, { ...options, connectionsMax: 1 })
  const holder = new WebSocket(`ws://127.0.0.1:${small.ports.http}/v1/live`)
  await once(holder, 'open')
  const { LineClient } = await import('./line-client.ts')
  const first = await LineClient.connect(small.ports.clients)
  first.send('a\n')
  await first.lines(1)
  const second = await LineClient.connect(small.ports.clients)

  await eventually(() => second.hasEnded, 'the second one to be closed')
  assert.equal(second.text, '')
  first.close()
  holder.terminate()
  await small.stop()
})
