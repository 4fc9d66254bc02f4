import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { header, type Message, statusOf } from './messages.ts'
import { listenerOf, planOf, serviceOf } from './plans.ts'
import { startDoor } from './running-door.ts'
import { ok, startUpstream } from './upstream.ts'

/** Sends a request with the given header lines and returns what reached the replica. */
async function passOn(
  t: TestContext,
  lines: readonly string[],
  trusted: readonly string[] = [],
): Promise<Message> {
  const upstream = await startUpstream(t)
  const door = await startDoor(t, planOf(serviceOf([upstream.port]), listenerOf(), trusted))
  const client = await door.client()
  client.send(`GET /page HTTP/1.1\r\n${['Host: example.test', ...lines].join('\r\n')}\r\n\r\n`)
  assert.equal(statusOf(await client.answer()), 200)
  const [seen] = upstream.requests
  assert.ok(seen)
  return seen
}

/** Returns what a client gets of an answer with the given header lines. */
async function passBack(t: TestContext, lines: string): Promise<Message> {
  const upstream = await startUpstream(t, { answer: () => ok('ok', lines) })
  const door = await startDoor(t, planOf(serviceOf([upstream.port])))
  const client = await door.client()
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  return await client.answer()
}

const names = (message: Message) => message.headers.map(([name]) => name)

describe('towards a replica', () => {
  test('hop-by-hop headers are dropped', async (t) => {
    const seen = await passOn(t, [
      'Connection: keep-alive',
      'Keep-Alive: timeout=5',
      'Proxy-Connection: keep-alive',
      'TE: trailers',
      'Upgrade: websocket',
      'Proxy-Authorization: Basic eDp5',
      'HTTP2-Settings: AAMAAABk',
      'X-Kept: 1',
    ])

    assert.deepEqual(names(seen), [
      'host',
      'x-kept',
      'x-forwarded-for',
      'x-forwarded-proto',
      'x-forwarded-host',
      'forwarded',
      'traceparent',
      'x-request-id',
    ])
  })

  test('headers that Connection names are dropped, in whatever letters and lines', async (t) => {
    const seen = await passOn(t, [
      'X-Secret: 1',
      'Connection: close, X-SECRET',
      'X-Kept: 2',
      'connection: \t,x-other ,, x_third',
      'X-Other: 3',
      'x-other: 4',
      'X_Third: 5',
    ])

    for (const name of ['x-secret', 'x-other', 'x_third'])
      assert.equal(header(seen, name), undefined)
    assert.equal(header(seen, 'x-kept'), '2')
  })

  test('a client cannot have dropped what is ours to set', async (t) => {
    const own =
      'host, content-length, x-forwarded-for, x-forwarded-proto, x-forwarded-host, forwarded, ' +
      'x-request-id, traceparent, cookie, authorization, content-type'
    const seen = await passOn(t, [
      `Connection: ${own}`,
      'Cookie: a=b',
      'Authorization: Bearer x',
      'Content-Type: text/plain',
      'X-Request-Id: mine',
    ])

    assert.equal(header(seen, 'host'), 'example.test')
    assert.equal(header(seen, 'x-forwarded-for'), '127.0.0.1')
    assert.equal(header(seen, 'x-forwarded-host'), 'example.test')
    assert.equal(header(seen, 'forwarded'), 'for=127.0.0.1;host=example.test;proto=http')
    assert.equal(header(seen, 'cookie'), 'a=b')
    assert.equal(header(seen, 'authorization'), 'Bearer x')
    assert.equal(header(seen, 'content-type'), 'text/plain')
    assert.equal(header(seen, 'x-request-id'), 'mine')
  })

  const claims = [
    'X-Forwarded-For: 6.6.6.6',
    'x-forwarded-for: 7.7.7.7',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Host: evil.test',
    'X-Forwarded-Port: 1',
    'X-Forwarded-Server: evil',
    'X-Forwarded-Prefix: /evil',
    'X-Real-IP: 6.6.6.6',
    'Forwarded: for=6.6.6.6;host=evil.test',
    'X_Forwarded_For: 6.6.6.6',
    'X-Forwarded_For: 6.6.6.6',
    'X_Real_IP: 6.6.6.6',
    'Content_Length: 5',
    'Transfer_Encoding: chunked',
    'HOST_: 1',
  ]

  test('what a stranger says of the client is replaced', async (t) => {
    const seen = await passOn(t, claims)

    assert.equal(header(seen, 'x-forwarded-for'), '127.0.0.1')
    assert.equal(header(seen, 'x-forwarded-proto'), 'http')
    assert.equal(header(seen, 'x-forwarded-host'), 'example.test')
    assert.equal(header(seen, 'forwarded'), 'for=127.0.0.1;host=example.test;proto=http')
    const rest = names(seen).filter((name) => !/^(host_?|forwarded|traceparent)$/.test(name))
    assert.deepEqual(rest, [
      'x-forwarded-for',
      'x-forwarded-proto',
      'x-forwarded-host',
      'x-request-id',
    ])
  })

  test('what a trusted proxy says of the client is extended', async (t) => {
    const seen = await passOn(t, claims, ['127.0.0.0/8'])

    assert.equal(header(seen, 'x-forwarded-for'), '6.6.6.6, 7.7.7.7, 127.0.0.1')
    assert.equal(header(seen, 'x-forwarded-proto'), 'https')
    assert.equal(header(seen, 'x-forwarded-host'), 'evil.test')
    assert.equal(
      header(seen, 'forwarded'),
      'for=6.6.6.6;host=evil.test, for=127.0.0.1;host=example.test;proto=http',
    )
    assert.equal(header(seen, 'x-real-ip'), '6.6.6.6')
    for (const name of [
      'x_forwarded_for',
      'x-forwarded_for',
      'content_length',
      'transfer_encoding',
    ])
      assert.equal(header(seen, name), undefined)
  })

  test('ids of a trace that are well are passed on', async (t) => {
    const parent = `00-${'1a'.repeat(16)}-${'2b'.repeat(8)}-01`
    const seen = await passOn(t, [`traceparent: ${parent}`, 'X-Request-Id: abc', 'tracestate: x=1'])

    assert.equal(header(seen, 'traceparent'), parent)
    assert.equal(header(seen, 'x-request-id'), 'abc')
    assert.equal(header(seen, 'tracestate'), 'x=1')
  })

  test('ids that are odd, or come twice, do not spread', async (t) => {
    const seen = await passOn(t, [
      'traceparent: evil',
      `traceparent: 00-${'1a'.repeat(16)}-${'2b'.repeat(8)}-01`,
      'X-Request-Id: a b',
      `X-Request-Id: ${'x'.repeat(200)}`,
      'X-Request-Id: first',
      'X-Request-Id: second',
    ])

    assert.equal(header(seen, 'traceparent'), `00-${'1a'.repeat(16)}-${'2b'.repeat(8)}-01`)
    assert.equal(header(seen, 'x-request-id'), 'first')
  })

  for (const lines of [
    ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'],
    ['Connection: upgrade', 'Upgrade: H2C'],
    ['Connection: upgrade', 'Upgrade: websocket, h2c'],
    ['Connection: upgrade', 'Upgrade: h2'],
    ['Connection: upgrade', 'Upgrade: HTTP/2.0'],
    ['Connection: upgrade', 'Upgrade: TLS/1.2'],
    ['Connection: upgrade', 'Upgrade: websocket', 'Upgrade: h2c'],
    ['Upgrade: websocket'],
  ])
    test(`a change of protocol is not passed on: ${lines.join(' | ')}`, async (t) => {
      const seen = await passOn(t, lines)

      for (const name of ['upgrade', 'connection', 'http2-settings'])
        assert.equal(header(seen, name), undefined)
    })
})

describe('towards a client', () => {
  test('hop-by-hop headers, and those that Connection names, are dropped', async (t) => {
    const answer = await passBack(
      t,
      'Keep-Alive: timeout=5\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nProxy-Connection: x\r\n' +
        'TE: x\r\nUpgrade: h2c\r\nX-Kept: 2\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n',
    )

    assert.deepEqual(answer.headers, [
      ['x-kept', '2'],
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['content-length', '2'],
    ])
  })

  test('names of object methods are names like any other', async (t) => {
    const answer = await passBack(
      t,
      'constructor: 1\r\n__proto__: 2\r\nConnection: toString\r\ntoString: 3\r\n',
    )

    assert.deepEqual(answer.headers, [
      ['constructor', '1'],
      ['__proto__', '2'],
      ['content-length', '2'],
    ])
  })

  test('a replica that closes does not close the connection of the client', async (t) => {
    const answer = await passBack(t, 'Connection: close\r\n')

    assert.equal(header(answer, 'connection'), undefined)
  })
})
