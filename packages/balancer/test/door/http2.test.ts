import assert from 'node:assert/strict'
import { constants } from 'node:http2'
import { describe, type TestContext, test } from 'node:test'
import type { ListenerPlan, ServicePlan } from '../../src/plan.ts'
import { until, untilStill } from '../until.ts'
import { ask, collect, openSession } from './http2-peer.ts'
import { header, readRequest, targetOf } from './messages.ts'
import { planOf, serviceOf } from './plans.ts'
import { startDoor } from './running-door.ts'
import { certificateFor, secureListener } from './tls-plans.ts'
import { type Answering, ok, startUpstream } from './upstream.ts'

const certificates = [certificateFor(['a.test'])]

async function start(
  t: TestContext,
  answer?: Answering,
  given: Partial<ListenerPlan> = {},
  service: Partial<ServicePlan> = {},
) {
  const upstream = await startUpstream(t, answer ? { answer } : {})
  const listener = secureListener(certificates, given)
  const door = await startDoor(t, planOf(serviceOf([upstream.port], service), listener))
  return { upstream, door, session: await openSession(t, door) }
}

describe('a request over HTTP/2', () => {
  test('reaches the replica as one of HTTP/1.1', async (t) => {
    const { upstream, session } = await start(t)

    const answer = await ask(session, {
      ':path': '/page?a=b',
      ':authority': 'Example.test:8443',
      'x-own': ['1', '2'],
      'user-agent': 'test',
      cookie: ['a=1', 'b=2'],
      te: 'trailers',
    })

    assert.equal(answer.status, 200)
    assert.equal(answer.body.toString(), 'ok')
    const [seen] = upstream.requests
    assert.ok(seen)
    assert.equal(seen.start, 'GET /page?a=b HTTP/1.1')
    assert.equal(seen.framing, 'none')
    for (const [name, value] of [
      ['host', 'Example.test:8443'],
      ['cookie', 'a=1; b=2'],
      ['x-forwarded-proto', 'https'],
      ['x-forwarded-for', '127.0.0.1'],
      ['user-agent', 'test'],
    ] as const)
      assert.equal(header(seen, name), value)
    assert.match(header(seen, 'x-own') ?? '', /^1\|2$|^1, 2$/)
    for (const name of ['te', 'connection', 'transfer-encoding', ':path'])
      assert.equal(header(seen, name), undefined)
  })

  test('takes its body along, with a length or in chunks', async (t) => {
    const { upstream, session } = await start(t, ({ body }) => ok(body.toString()))

    const sized = await ask(session, { ':method': 'POST', 'content-length': '4' }, 'abcd')
    const unsized = await ask(session, { ':method': 'POST' }, 'efgh')
    const empty = await ask(session, { ':method': 'POST' })

    assert.deepEqual(
      [sized, unsized, empty].map(({ body }) => body.toString()),
      ['abcd', 'efgh', ''],
    )
    assert.deepEqual(
      upstream.requests.map(({ framing }) => framing),
      ['length', 'chunked', 'length'],
    )
  })

  test('takes its trailers along', async (t) => {
    const { upstream, session } = await start(t)
    const stream = session.request(
      { ':method': 'POST', ':path': '/', ':authority': 'a' },
      { waitForTrailers: true, endStream: false },
    )
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '1', host: 'evil' }))
    const answer = collect(stream)
    stream.end('abcd')

    assert.equal((await answer).status, 200)
    assert.deepEqual(upstream.requests[0]?.trailers, [['x-sum', '1']])
  })

  test('takes a large body along, and brings one back', async (t) => {
    const { session } = await start(t, ({ body }) => ok(body.toString('latin1')))
    const body = Buffer.alloc(3_000_000, 'abcdefg')

    const answer = await ask(session, { ':method': 'POST' }, body)

    assert.ok(answer.body.equals(body))
  })

  test('is one of many at a time, each with its own answer', async (t) => {
    const { upstream, session } = await start(t, (request, peer) => {
      setImmediate(() => peer.send(ok(targetOf(request))))
      return undefined
    })

    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, index) => ask(session, { ':path': `/${index}` })),
    )

    for (const [index, answer] of answers.entries())
      assert.equal(answer.body.toString(), `/${index}`)
    assert.equal(upstream.requests.length, 300)
  })

  test('is repeated like any other when its replica dies', async (t) => {
    let died = 0
    const { session } = await start(t, (_, peer) => {
      if (died++ > 0) return ok('second')
      peer.socket.destroy()
      return undefined
    })
    const first = await ask(session)
    assert.equal(first.status, 502)

    assert.equal((await ask(session)).body.toString(), 'second')
  })

  test('that is reset is cancelled at the replica', async (t) => {
    const { upstream, session, door } = await start(t, () => undefined)
    const stream = session.request({ ':path': '/', ':authority': 'a' })
    stream.on('error', () => {})
    await until('the request', () => upstream.requests.length === 1)

    stream.close(constants.NGHTTP2_CANCEL)

    await until('a cancel', () => upstream.connections[0]?.ended || upstream.connections[0]?.closed)
    await until('the end', async () => (await door.service()).replicas[0]?.inFlight === 0)
  })

  test('of a session that vanishes is cancelled', async (t) => {
    const { upstream, session, door } = await start(t, () => undefined)
    for (let index = 0; index < 5; index++)
      session.request({ ':path': '/', ':authority': 'a' }).on('error', () => {})
    await until('the requests', () => upstream.requests.length === 5)

    session.destroy()

    await until('the end', async () => (await door.service()).replicas[0]?.inFlight === 0)
    await until(
      'the end',
      async () => (await door.engine.stats()).listeners[0]?.connectionsOpen === 0,
    )
  })

  test('with too large a body is refused', async (t) => {
    const limits = { connectionsMax: 9, headBytesMax: 16_384, headersMax: 100, bodyBytesMax: 10 }
    const { session, upstream } = await start(t, undefined, { limits })

    const told = await ask(session, { ':method': 'POST', 'content-length': '11' }, 'x'.repeat(11))
    const untold = await ask(session, { ':method': 'POST' }, 'x'.repeat(11))

    assert.deepEqual([told.status, untold.status], [413, 413])
    assert.deepEqual(upstream.requests, [])
    assert.equal((await ask(session, { ':method': 'POST' }, 'x'.repeat(10))).status, 200)
  })

  test('that expects 100 Continue is told to go on', async (t) => {
    const upstream = await startUpstream(t, {
      connection(peer) {
        let told = false
        peer.onChange(() => {
          if (!told) peer.send('HTTP/1.1 100 Continue\r\n\r\n')
          told = true
          if (readRequest(peer.bytes, 0)) peer.send(ok())
        })
      },
    })
    const listener = secureListener(certificates)
    const door = await startDoor(t, planOf(serviceOf([upstream.port]), listener))
    const session = await openSession(t, door)
    const stream = session.request(
      { ':method': 'POST', ':path': '/', ':authority': 'a', expect: '100-continue' },
      { endStream: false },
    )
    const answer = collect(stream)
    stream.on('continue', () => stream.end('abcd'))

    assert.equal((await answer).status, 200)
  })
})

describe('an answer over HTTP/2', () => {
  const text = (head: string, rest = '') => `HTTP/1.1 200 OK\r\n${head}\r\n${rest}`
  const chunked = 'Transfer-Encoding: chunked\r\n'

  test('brings trailers', async (t) => {
    const { session } = await start(t, () =>
      text(chunked, '2\r\nok\r\n0\r\nGrpc-Status: 0\r\nX-Two: 2\r\n\r\n'),
    )

    const answer = await ask(session)

    assert.equal(answer.body.toString(), 'ok')
    assert.equal(answer.headers['transfer-encoding'], undefined)
    assert.equal(answer.trailers['grpc-status'], '0')
    assert.equal(answer.trailers['x-two'], '2')
  })

  test('in chunks without trailers just ends', async (t) => {
    const { session } = await start(t, () => text(chunked, '2\r\nok\r\n0\r\n\r\n'))

    assert.equal((await ask(session)).body.toString(), 'ok')
  })

  for (const [name, lines] of [
    [
      'headers that there may be only one of',
      'Content-Type: a\r\nContent-Type: b\r\nETag: 1\r\nETag: 2\r\n',
    ],
    ['names of object methods', 'constructor: 1\r\n__proto__: 2\r\ntoString: 3\r\n'],
    [
      'headers that HTTP/2 forbids',
      'HTTP2-Settings: x\r\nKeep-Alive: x\r\nProxy-Connection: x\r\nTE: x\r\nUpgrade: x\r\n',
    ],
    ['bytes beyond ASCII', 'X-High: caf\xe9\r\n'],
    ['many cookies', 'Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n'],
    ['an empty value', 'X-Empty:\r\n'],
    ['an odd name', "!#$%&'*+.^_`|~: 1\r\n"],
    ['very many headers', 'X-Many: 1\r\n'.repeat(110)],
    ['a very long value', `X-Long: ${'x'.repeat(60_000)}\r\n`],
  ] as const)
    test(`with ${name} is given, and harms nobody`, async (t) => {
      const { session } = await start(t, () => ok('ok', lines))

      const answer = await ask(session)

      assert.equal(answer.status, 200)
      assert.equal(answer.body.toString(), 'ok')
      if (name === 'many cookies') assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2'])
      assert.equal((await ask(session)).status, 200)
    })

  for (const [name, trailers] of [
    ['names of object methods', 'constructor: 1\r\n__proto__: 2\r\n'],
    ['headers that there may be only one of', 'ETag: 1\r\nETag: 2\r\n'],
    ['headers that HTTP/2 forbids', 'TE: x\r\nHTTP2-Settings: x\r\nConnection: x\r\n'],
  ] as const)
    test(`whose trailers have ${name} is given, and harms nobody`, async (t) => {
      const { session } = await start(t, () => text(chunked, `2\r\nok\r\n0\r\n${trailers}\r\n`))

      for (let round = 0; round < 2; round++)
        assert.equal((await ask(session)).body.toString(), 'ok')
    })

  for (const [method, answer, length] of [
    ['HEAD', text('Content-Length: 99\r\n'), '99'],
    ['HEAD', text(chunked), undefined],
    ['GET', 'HTTP/1.1 204 No Content\r\n\r\n', undefined],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n', '99'],
    ['GET', text('Content-Length: 0\r\n'), '0'],
  ] as const)
    test(`has no body: ${method}, ${JSON.stringify(answer.trimEnd())}`, async (t) => {
      const { session } = await start(t, () => answer)

      for (let round = 0; round < 2; round++) {
        const { headers, body } = await ask(session, { ':method': method })
        assert.equal(body.length, 0)
        assert.equal(headers['content-length'], length)
      }
    })

  test('without a length ends with the connection of the replica', async (t) => {
    const { session } = await start(t, (_, peer) => {
      peer.socket.end('HTTP/1.1 200 OK\r\n\r\nall')
      return undefined
    })

    assert.equal((await ask(session)).body.toString(), 'all')
  })

  test('that breaks off is reset', async (t) => {
    const { session } = await start(t, (_, peer) => {
      peer.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf')
      return undefined
    })

    await assert.rejects(ask(session), /reset with code|NGHTTP2/)
    await assert.rejects(ask(session), /reset with code|NGHTTP2/)
  })

  test('comes behind 103, whose headers may be odd too', async (t) => {
    const early =
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nETag: 1\r\nETag: 2\r\nconstructor: 1\r\n\r\n'
    const { session } = await start(t, () => early + ok())

    const answer = await ask(session)

    assert.equal(answer.early[0]?.[':status'], 103)
    assert.equal(answer.early[0]?.link, '</a>')
    assert.equal(answer.status, 200)
  })

  test('that changes the protocol is a 502', async (t) => {
    const { session } = await start(
      t,
      () => 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n',
    )

    assert.equal((await ask(session)).status, 502)
  })

  test('to a client that does not read stops the replica', async (t) => {
    const { session, upstream } = await start(t, (request) =>
      targetOf(request) === '/large' ? ok('x'.repeat(16_000_000)) : ok(),
    )
    const stream = session.request({ ':path': '/large', ':authority': 'a' })
    stream.pause()
    await until('the request', () => upstream.requests.length === 1)

    const left = await untilStill(() => upstream.connections[0]?.socket.writableLength ?? -1)
    assert.ok(left > 4_000_000, `${left}`)
    assert.equal((await ask(session)).status, 200)
    let length = 0
    stream.on('data', (piece: Buffer) => {
      length += piece.length
    })
    stream.resume()

    await until('all of it', () => length === 16_000_000)
  })

  test("of the door's own comes without a body where none may be", async (t) => {
    const routes: ListenerPlan['routes'] = [204, 304, 200].map((status) => ({
      name: `${status}`,
      match: { path: `/${status}` },
      action: { kind: 'answer', status, contentType: 'text/plain', body: 'x' },
    }))
    const { session } = await start(t, undefined, { routes })

    for (const path of ['/204', '/304']) {
      const answer = await ask(session, { ':path': path })
      assert.equal(`/${answer.status}`, path)
      assert.equal(answer.body.length, 0)
    }
    assert.equal((await ask(session, { ':path': '/200' })).body.toString(), 'x')
    assert.equal((await ask(session, { ':path': '/200', ':method': 'HEAD' })).body.length, 0)
    assert.equal((await ask(session, { ':path': '/404' })).status, 404)
  })
})

describe('a session', () => {
  test('ends behind its last answer when the door ends', async (t) => {
    const { session, upstream, door } = await start(t, () => undefined)
    const answer = ask(session)
    await until('the request', () => upstream.requests.length === 1)

    const stopped = door.engine.stop(10_000)
    await until('the farewell', () => session.closed || session.destroyed)
    upstream.connections[0]?.send(ok('the last'))

    assert.equal((await answer).body.toString(), 'the last')
    await stopped
  })

  test('ends at once when it is idle and the door ends', async (t) => {
    const { session, door } = await start(t)
    assert.equal((await ask(session)).status, 200)

    await door.engine.stop(10_000)

    await until('the end', () => session.destroyed)
  })

  test('that is idle for long is ended', async (t) => {
    const timeouts = { headMs: 1_000, idleMs: 100, stallMs: 1_000 }
    const { session } = await start(t, undefined, { timeouts })
    assert.equal((await ask(session)).status, 200)

    await until('the end', () => session.destroyed)
  })
})
