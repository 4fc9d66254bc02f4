import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createTopology, type HerdServer, serveHerd, type Topology } from '../src/index.ts'
import { call, StreamReader } from './http-client.ts'
import { eventually, exchange } from './line-client.ts'
import { freePorts, onFreePorts } from './processes.ts'

const options = { key: Buffer.from('a key for this test only'), recordsMax: 10_000 }
let topology: Topology
let a: HerdServer
let b: HerdServer

async function serve(name: string): Promise<HerdServer> {
  return serveHerd(name, topology, { ...options, http: { host: '127.0.0.1', port: 0 } })
}

const areLinked = () => a.node.links.length === 1 && b.node.links.length === 1

before(async () => {
  topology = await onFreePorts(createTopology('two', { A: 1, B: 2 }, [['A', 'B']]))
  a = await serve('A')
  b = await serve('B')
  await eventually(areLinked, 'the link')
})
after(() => Promise.all([a.stop(), b.stop()]))

const at = (server: HerdServer, client: string, place: string, time: string | number) =>
  exchange(server.ports.clients, `IAMAT ${client} ${place} ${time}\n`)

const linkOf = async (server: HerdServer) => {
  const { body } = await call(server.ports.http, 'GET', '/v1/links')
  return (body.links as Record<string, unknown>[])[0] ?? {}
}

test('ids of thousands of characters and of any bytes are found, and no other in their place', async () => {
  const long = 'x'.repeat(5_000)
  await at(a, long, '+1+1', 1)
  await at(a, '\xe9%/?', '+1+1', 1)
  await at(a, 'a', '+1+1', 1)
  const found = async (id: string) =>
    (await call(a.ports.http, 'GET', `/v1/clients/${encodeURIComponent(id)}`)).body.client

  assert.equal(await found(long), long)
  assert.equal(await found('\xe9%/?'), '\xe9%/?')
  // š is U+0161: its lower byte is an a.
  assert.equal(await found('š'), undefined)
})

test('a neighbour is told of with its figures, also when it is gone', async () => {
  await at(a, 'counted', '+1+1', 1)
  const up = await linkOf(a)

  assert.deepEqual([up.peer, up.isLinked, up.isCut, up.waiting], ['B', true, false, 0])
  assert.ok((up.sentRecords as number) >= 1)
  assert.ok((up.rttMs as number) >= 0)
  assert.ok(Math.abs(Date.now() - (up.sinceMs as number)) < 600_000)

  await b.stop()
  await eventually(async () => !(await linkOf(a)).isLinked, 'the link to be gone')
  const down = await linkOf(a)
  assert.equal(down.peer, 'B')
  assert.equal(typeof down.reason, 'string')
  b = await serve('B')
  await eventually(async () => (await linkOf(a)).isLinked === true, 'the link again')
})

test('a link that is cut stays down from both sides, and comes back in step when restored', async () => {
  const cut = await call(a.ports.http, 'POST', '/v1/links/B/cut', { cut: true })
  assert.deepEqual([cut.body.isLinked, cut.body.isCut], [false, true])
  await eventually(async () => !(await linkOf(b)).isLinked, 'B to notice')
  await at(a, 'apart', '+1+1', 1)
  // B dials, and is refused.
  await eventually(async () => ((await linkOf(b)).attempts as number) >= 2, 'B to have tried')
  assert.equal(await exchange(b.ports.clients, 'WHATSAT apart 0 0\n'), '? WHATSAT apart 0 0\n')

  await call(a.ports.http, 'POST', '/v1/links/B/cut', { cut: false })
  await eventually(areLinked, 'the link again')
  await eventually(
    async () => (await exchange(b.ports.clients, 'WHATSAT apart 0 0\n')).startsWith('AT A '),
    'B to be told',
  )
  assert.equal((await linkOf(a)).isCut, false)
})

test('cutting what is no neighbour, or saying nonsense, is refused', async () => {
  const nobody = await call(a.ports.http, 'POST', '/v1/links/Nobody/cut', { cut: true })
  assert.deepEqual([nobody.status, nobody.body.code], [404, 'HERD_UNKNOWN'])
  assert.equal((await call(a.ports.http, 'POST', '/v1/links/B/cut', { cut: 'maybe' })).status, 400)
})

test('from another machine links can be read, not cut', async () => {
  const open = await serveHerd('A', createTopology('open', { A: 0 }, []), {
    ...options,
    http: { host: '0.0.0.0', port: 0 },
  })
  const own = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  const outside = own.filter(({ family, internal }) => family === 'IPv4' && !internal)
  // A machine without a network has no address to come from as another one would.
  for (const { address } of outside) {
    const url = `http://${address}:${open.ports.http}/v1/links`
    assert.equal((await fetch(url)).status, 200)
    const headers = { 'content-type': 'application/json' }
    const cut = await fetch(`${url}/B/cut`, { method: 'POST', headers, body: '{"cut":true}' })
    assert.equal(cut.status, 403)
    assert.equal(((await cut.json()) as { code: string }).code, 'HERD_FOREIGN')
  }
  await open.stop()
})

test('fences are made, listed with who is inside, told of, and removed', async () => {
  await at(a, 'sheep', '+50.0+10.0', 1)
  const circle = { latitude: 50, longitude: 10, radiusKm: 5 }
  const made = await call(a.ports.http, 'POST', '/v1/fences', { id: 'meadow', circle })
  const { body: box } = await call(a.ports.http, 'POST', '/v1/fences', {
    box: { south: -1, north: 0, west: 170, east: -170 },
  })
  const nowhere = { south: 1, north: 0, west: 0, east: 1 }
  assert.equal((await call(a.ports.http, 'POST', '/v1/fences', { box: nowhere })).status, 400)
  assert.equal(made.status, 201)
  assert.deepEqual(made.body, { id: 'meadow', circle, inside: 1, entered: 0, left: 0 })
  const stream = new StreamReader(a.ports.http, '/v1/events?fences=true')
  await stream.until('links', () => true)

  // The moves are heard by the other server: a fence sees the whole herd.
  await at(b, 'sheep', '+60.0+10.0', 2)
  await at(b, 'goat', '-0.5-175.0', 1)
  const left = await stream.until('crossing', ({ event }) => event === 'leave')
  assert.deepEqual([left.data.fence, left.data.client, left.data.server], ['meadow', 'sheep', 'B'])
  await stream.until('crossing', ({ fence, event }) => fence === box.id && event === 'enter')
  stream.stop()

  const { body } = await call(a.ports.http, 'GET', '/v1/fences')
  assert.deepEqual(
    (body.fences as Record<string, unknown>[]).map((fence) => [
      fence.id,
      fence.inside,
      fence.entered,
      fence.left,
    ]),
    [
      ['meadow', 0, 0, 1],
      [box.id, 1, 1, 0],
    ],
  )
  for (const id of ['meadow', box.id]) {
    assert.equal((await call(a.ports.http, 'DELETE', `/v1/fences/${id}`)).status, 204)
    assert.equal((await call(a.ports.http, 'DELETE', `/v1/fences/${id}`)).status, 404)
  }
  const wrong = { circle: { ...circle, latitude: 91 } }
  assert.equal((await call(a.ports.http, 'POST', '/v1/fences', wrong)).status, 400)
})

test('a stream tells everybody on the map, then who moves, and links that go and come', async () => {
  await at(a, 'early', '+10.0+10.0', 1)
  const stream = new StreamReader(a.ports.http, '/v1/events?map=true')
  const has = (client: string, latitude: number) => (data: Record<string, unknown>) =>
    (data.clients as { client: string; latitude: number }[]).some(
      (each) => each.client === client && each.latitude === latitude,
    )
  const first = await stream.until('clients', has('early', 10))
  assert.equal(first.data.isFresh, true)
  await at(b, 'early', '+11.0+10.0', 2)
  const moved = await stream.until('clients', has('early', 11))
  assert.equal(moved.data.isFresh, undefined)

  const isLinked = (wanted: boolean) => (data: Record<string, unknown>) =>
    (data.links as { isLinked: boolean }[])[0]?.isLinked === wanted
  await stream.until('links', isLinked(true))
  stream.events.length = 0
  await call(a.ports.http, 'POST', '/v1/links/B/cut', { cut: true })
  await stream.until('links', isLinked(false))
  stream.events.length = 0
  await call(a.ports.http, 'POST', '/v1/links/B/cut', { cut: false })
  await stream.until('links', isLinked(true))
  stream.stop()
})

test('records of other kinds are written at one server, read at another, listed and removed', async () => {
  const url = (server: HerdServer, path: string) =>
    `http://127.0.0.1:${server.ports.http}/v1/records/${path}`
  const bytes = Buffer.from([0, 1, 10, 32, 255])
  const put = await fetch(url(a, '7/colour%20of%20sheep'), { method: 'PUT', body: bytes })
  const { key, server, valueBytes } = (await put.json()) as Record<string, unknown>
  assert.deepEqual([key, server, valueBytes], ['colour of sheep', 'A', 5])

  // The answer came after the neighbour's acknowledgement.
  const got = await fetch(url(b, '7/colour%20of%20sheep'))
  assert.deepEqual(Buffer.from(await got.arrayBuffer()), bytes)
  assert.equal(got.headers.get('x-herd-server'), 'A')
  const json = await fetch(url(b, '7/colour%20of%20sheep'), {
    method: 'PUT',
    body: '{"not":"parsed"}',
    headers: { 'content-type': 'application/json' },
  })
  assert.equal(json.status, 200)
  assert.equal(await (await fetch(url(a, '7/colour%20of%20sheep'))).text(), '{"not":"parsed"}')
  assert.equal((await fetch(url(a, '8/colour%20of%20sheep'))).status, 404)
  const { body } = await call(a.ports.http, 'GET', '/v1/records/7?limit=5')
  assert.deepEqual(
    (body.records as { key: string }[]).map((record) => record.key),
    ['colour of sheep'],
  )

  const gone = await fetch(url(a, '7/colour%20of%20sheep'), { method: 'DELETE' })
  assert.equal(gone.status, 204)
  assert.equal((await fetch(url(b, '7/colour%20of%20sheep'))).status, 404)
  assert.equal((await fetch(url(b, '7/colour%20of%20sheep'), { method: 'DELETE' })).status, 404)
  assert.equal((await exchange(a.ports.clients, 'WHATSAT colour 0 0\n'))[0], '?')
})

test('records without a value, too long, or of no kind are refused', async () => {
  const status = async (path: string, body: Buffer | string) =>
    (await fetch(`http://127.0.0.1:${a.ports.http}/v1/records/${path}`, { method: 'PUT', body }))
      .status
  assert.equal(await status('7/empty', ''), 400)
  assert.equal(await status('7/long', Buffer.alloc(65_001)), 413)
  assert.equal(await status('7/most', Buffer.alloc(65_000)), 200)
  assert.equal(await status(`7/${'k'.repeat(1_025)}`, 'x'), 400)
  assert.equal(await status('0/locations', 'x'), 400)
  assert.equal(await status('255/none', 'x'), 400)
})

test('the last of two writes wins everywhere, also when the first came from a clock ahead', async () => {
  const soon = Math.floor(Date.now() / 1_000) + 600
  const first = await a.records.put(9, 'k', Buffer.from('first'))
  // What a server writes whose clock is ten minutes ahead.
  const { recordOf } = await import('./records.ts')
  const ahead = recordOf(a.node.state.origins.enter('B', 1), {
    key: 'k',
    kind: 9,
    seconds: soon,
    value: 'ahead',
  })
  assert.ok(a.node.state.put(ahead, 0) >= 0)
  const last = await a.records.put(9, 'k', Buffer.from('last'))

  assert.ok(Number(first.time) < soon)
  assert.equal(last.time, `${soon}.000000001`)
  assert.equal(a.records.get(9, 'k')?.value.toString(), 'last')
  await eventually(() => b.records.get(9, 'k')?.value.toString() === 'last', 'B to have the last')
})

test('with sync a removed record stays removed for who was away, and through snapshots', async () => {
  const [port = 0, peers = 0] = await freePorts(2)
  const dataDirectory = await mkdtemp(join(tmpdir(), 'drover-herd-'))
  const plain = createTopology('kept', { C: port }, [])
  const alone = {
    ...plain,
    servers: plain.servers.map((server) => ({
      ...server,
      peers: { host: '127.0.0.1', port: peers },
    })),
  }
  const first = await serveHerd('C', alone, { ...options, dataDirectory })
  await first.records.put(3, 'kept', Buffer.from('value'))
  await first.records.put(3, 'removed', Buffer.from('value'))
  await first.records.remove(3, 'removed')
  await first.stop()
  const second = await serveHerd('C', alone, { ...options, dataDirectory })

  assert.equal(second.records.get(3, 'kept')?.value.toString(), 'value')
  assert.equal(second.records.get(3, 'removed'), undefined)
  assert.equal(second.records.list(3, 10).records.length, 1)
  await second.stop()
  await rm(dataDirectory, { recursive: true })
})

test('a line said over HTTP is answered as over TCP, and is known everywhere', async () => {
  const said = await call(a.ports.http, 'POST', '/v1/lines', {
    line: 'IAMAT paged +34.068930-118.445127 1621464827.959498503',
  })
  const asked = await call(b.ports.http, 'POST', '/v1/lines', { line: 'WHATSAT paged 10 1' })
  const nonsense = await call(a.ports.http, 'POST', '/v1/lines', { line: 'IAMAT nowhere' })
  const two = await call(a.ports.http, 'POST', '/v1/lines', { line: 'one\ntwo' })

  const place = String.raw`paged \+34\.068930-118\.445127 1621464827\.959498503\n`
  assert.match(String(said.body.answer), new RegExp(String.raw`^AT A \+[\d.]+ ${place}$`))
  assert.match(String(asked.body.answer), new RegExp(String.raw`^AT A \+[\d.]+ ${place}\{`))
  assert.equal(nonsense.body.answer, '? IAMAT nowhere\n')
  assert.equal(two.status, 400)
})
