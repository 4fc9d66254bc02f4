import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { until } from '../until.ts'
import {
  ask,
  dataFrame,
  framesOf,
  headersFrame,
  openFrames,
  openSession,
  resetFrame,
} from './http2-peer.ts'
import { planOf, serviceOf } from './plans.ts'
import { startDoor } from './running-door.ts'
import { certificateFor, secureListener } from './tls-plans.ts'
import { startUpstream } from './upstream.ts'

const certificates = [certificateFor(['a.test'])]
const reset = 3
const goAway = 7
const headers = 1

type Field = readonly [name: string, value: string]

const base: readonly Field[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'example.test'],
  [':path', '/page'],
]

/** The usual fields with some of them changed, and more behind them. */
function fields(changed: Readonly<Record<string, string>>, ...more: readonly Field[]): Field[] {
  return [...base.map(([name, value]): Field => [name, changed[name] ?? value]), ...more]
}

const without = (name: string) => base.filter(([own]) => own !== name)

/** Fields that cannot be written in HTTP/1.1: the request goes on without them. */
const leftOut: Readonly<Record<string, readonly Field[]>> = {
  'a line end in a value': fields({}, ['x-own', 'a\r\nx-evil: b']),
  'a request in a value': fields({}, [
    'x-own',
    'a\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n',
  ]),
  'a bare LF in a value': fields({}, ['x-own', 'a\nx-evil: b']),
  'a bare CR in a value': fields({}, ['x-own', 'a\rb']),
  'NUL in a value': fields({}, ['x-own', 'a\0b']),
  'a line end in a name': fields({}, ['x-own\r\nx-evil', 'a']),
  'a colon in a name': fields({}, ['x-own: a\r\nx', 'b']),
  'a colon at the end of a name': fields({}, ['transfer-encoding:', 'chunked']),
  'a blank in a name': fields({}, ['x own', 'a']),
  'an empty name': fields({}, ['', 'a']),
  'NUL in a name': fields({}, ['x\0own', 'a']),
}

/** Fields of which no request may reach a replica. */
const refused: Readonly<Record<string, readonly Field[]>> = {
  'capitals in a name': fields({}, ['X-Own', 'a']),
  'a blank in the path': fields({ ':path': '/a HTTP/1.1' }),
  'a request in the path': fields({ ':path': '/ HTTP/1.1\r\nhost: a\r\n\r\nGET /smuggled' }),
  'a bare LF in the path': fields({ ':path': '/a\nb' }),
  'a fragment in the path': fields({ ':path': '/a#b' }),
  'a path without a slash': fields({ ':path': 'page' }),
  'an empty path': fields({ ':path': '' }),
  'no path': without(':path'),
  'two paths': fields({}, [':path', '/other']),
  'a request in the method': fields({ ':method': 'GET /smuggled HTTP/1.1\r\nx: ' }),
  'a blank in the method': fields({ ':method': 'GET ' }),
  'a lower-case method': fields({ ':method': 'get' }),
  'an unknown method': fields({ ':method': 'FETCH' }),
  'no method': without(':method'),
  CONNECT: [
    [':method', 'CONNECT'],
    [':authority', 'example.test:443'],
  ],
  'the CONNECT of WebSockets': fields({ ':method': 'CONNECT' }, [':protocol', 'websocket']),
  'no authority and no Host': without(':authority'),
  'an empty authority': fields({ ':authority': '' }),
  'a user in the authority': fields({ ':authority': 'me@example.test' }),
  'a path in the authority': fields({ ':authority': 'example.test/x' }),
  'a line end in the authority': fields({ ':authority': 'a\r\nx-evil: b' }),
  'another Host': fields({}, ['host', 'other.test']),
  'two Hosts': [...without(':authority'), ['host', 'a.test'], ['host', 'b.test']],
  'Transfer-Encoding': fields({ ':method': 'POST' }, ['transfer-encoding', 'chunked']),
  'Transfer-Encoding of another kind': fields({}, ['transfer-encoding', 'x']),
  Connection: fields({}, ['connection', 'close']),
  Upgrade: fields({}, ['upgrade', 'h2c']),
  'Keep-Alive': fields({}, ['keep-alive', '1']),
  'Proxy-Connection': fields({}, ['proxy-connection', 'close']),
  'TE other than trailers': fields({}, ['te', 'gzip']),
  'Content-Length without a body': fields({}, ['content-length', '5']),
  'Content-Length twice': fields({}, ['content-length', '0'], ['content-length', '1']),
  'Content-Length +0': fields({}, ['content-length', '+0']),
  'a pseudo header behind the others': [...without(':path'), ['x-own', 'a'], [':path', '/page']],
  'an unknown pseudo header': fields({}, [':evil', 'a']),
  'a status in a request': fields({}, [':status', '200']),
  'an unknown expectation': fields({}, ['expect', 'x']),
}

async function start(t: TestContext) {
  const upstream = await startUpstream(t)
  const door = await startDoor(t, planOf(serviceOf([upstream.port]), secureListener(certificates)))
  return { upstream, door, peer: await openFrames(t, door) }
}

type Running = Awaited<ReturnType<typeof start>>

/** Waits until the door has refused stream 1, in whatever way. */
async function untilRefused({ peer }: Running): Promise<void> {
  await until('a refusal', () => {
    if (peer.ended || peer.closed) return true
    return framesOf(peer).some(
      ({ type, stream }) =>
        type === goAway || (stream === 1 && (type === reset || type === headers)),
    )
  })
}

describe('a field that breaks the rules reaches no replica', () => {
  for (const [name, list] of Object.entries(leftOut))
    test(name, async (t) => {
      const { peer, upstream } = await start(t)

      peer.send(headersFrame(1, list))

      await until('the rest of it', () => upstream.requests.length === 1)
      assert.doesNotMatch(upstream.text, /own|evil|smuggled|transfer-encoding|\0/)
      assert.equal(upstream.requests[0]?.start, 'GET /page HTTP/1.1')
    })
})

describe('HTTP/2 that breaks the rules reaches no replica', () => {
  for (const [name, list] of Object.entries(refused))
    test(name, async (t) => {
      const running = await start(t)

      running.peer.send(headersFrame(1, list))
      await untilRefused(running)

      assert.equal(running.upstream.text, '')
      const session = await openSession(t, running.door)
      assert.equal((await ask(session, { ':path': '/well' })).status, 200)
      assert.deepEqual(
        running.upstream.requests.map(({ start: line }) => line),
        ['GET /well HTTP/1.1'],
      )
    })

  for (const [name, length, body] of [
    ['shorter', '10', 'abcd'],
    ['longer', '2', 'abcd'],
  ] as const)
    test(`a body ${name} than its Content-Length is no whole request`, async (t) => {
      const running = await start(t)

      running.peer.send(
        headersFrame(1, fields({ ':method': 'POST' }, ['content-length', length]), false),
      )
      running.peer.send(dataFrame(1, body, true))
      await untilRefused(running)

      assert.deepEqual(running.upstream.requests, [])
    })

  test('trailers that break the rules are left behind', async (t) => {
    const { peer, upstream } = await start(t)

    peer.send(headersFrame(1, fields({ ':method': 'POST' }), false))
    peer.send(dataFrame(1, 'abcd', false))
    peer.send(
      headersFrame(
        1,
        [
          ['content-length', '9'],
          ['x-sum', '1'],
        ],
        true,
      ),
    )

    await until(
      'an end',
      () => upstream.requests.length === 1 || framesOf(peer).some(({ type }) => type === reset),
    )
    for (const { trailers } of upstream.requests) assert.deepEqual(trailers, [])
  })
})

test('an empty DATA frame does not end a body', async (t) => {
  const { peer, upstream } = await start(t)

  peer.send(headersFrame(1, fields({ ':method': 'POST' }), false))
  for (const [data, last] of [
    ['', false],
    ['ab', false],
    ['', false],
    ['cd', false],
    ['', true],
  ] as const)
    peer.send(dataFrame(1, data, last))

  await until('the request', () => upstream.requests.length === 1)
  assert.equal(upstream.requests[0]?.body.toString(), 'abcd')
})

test('thousands of streams, opened and reset at once, harm nobody else', async (t) => {
  const upstream = await startUpstream(t, { answer: () => undefined })
  const well = await startUpstream(t)
  const listener = secureListener(certificates, {
    routes: [
      { name: 'well', match: { path: '/well' }, action: { kind: 'service', service: 'well' } },
      { name: 'rest', match: {}, action: { kind: 'service', service: 'web' } },
    ],
  })
  const services = [serviceOf([upstream.port]), { ...serviceOf([well.port]), name: 'well' }]
  const door = await startDoor(t, { listeners: [listener], services, trustedProxies: [] })
  const peer = await openFrames(t, door)
  const other = await openSession(t, door)

  for (let round = 0; round < 50; round++) {
    const burst: Buffer[] = []
    for (let index = 0; index < 100; index++) {
      const stream = (round * 100 + index) * 2 + 1
      burst.push(headersFrame(stream, fields({})), resetFrame(stream))
    }
    peer.send(Buffer.concat(burst))
    assert.equal((await ask(other, { ':path': '/well' })).status, 200)
  }

  await until('the end of all of them', async () => {
    const service = await door.service('web')
    return service.replicas[0]?.inFlight === 0
  })
  assert.ok(upstream.connections.length < 5_000)
})

test('more streams at once than there may be are refused', async (t) => {
  const upstream = await startUpstream(t, { answer: () => undefined })
  const door = await startDoor(t, planOf(serviceOf([upstream.port]), secureListener(certificates)))
  const peer = await openFrames(t, door)

  for (let index = 0; index < 1_000; index++) peer.send(headersFrame(index * 2 + 1, fields({})))

  await until(
    'a refusal',
    () => peer.ended || framesOf(peer).some(({ type }) => type === reset || type === goAway),
  )
  assert.ok(upstream.requests.length <= 200, `${upstream.requests.length}`)
})
