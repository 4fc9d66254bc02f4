import assert from 'node:assert/strict'
import { connect as connectPlain } from 'node:net'
import { Duplex } from 'node:stream'
import { describe, type TestContext, test } from 'node:test'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import type { ListenerPlan, ServicePlan } from '../../src/plan.ts'
import { until, untilStill } from '../until.ts'
import { header, statusOf } from './messages.ts'
import { Peer } from './peer.ts'
import { planOf, serviceOf } from './plans.ts'
import { type RunningDoor, startDoor } from './running-door.ts'
import { certificateFor, secureListener } from './tls-plans.ts'
import { type Answering, ok, startUpstream } from './upstream.ts'

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const certificates = [
  certificateFor(['default.test']),
  certificateFor(['one.test', 'two.test']),
  certificateFor(['*.wild.test']),
]

async function start(
  t: TestContext,
  listener: ListenerPlan = secureListener(certificates),
  answer?: Answering,
  service: Partial<ServicePlan> = {},
) {
  const upstream = await startUpstream(t, answer ? { answer } : {})
  const plan = planOf(serviceOf([upstream.port], service), listener)
  return { upstream, plan, door: await startDoor(t, plan) }
}

/** Shakes hands with the door; the certificate is looked at by the tests themselves. */
function shakeHands(t: TestContext, door: RunningDoor, options: ConnectionOptions = {}) {
  const socket = connect({
    port: door.port(),
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
    ...options,
  })
  t.after(() => socket.destroy())
  return socket
}

async function openSecure(t: TestContext, door: RunningDoor, options: ConnectionOptions = {}) {
  const socket = shakeHands(t, door, options)
  const peer = new Peer(socket)
  await until('a handshake', () => socket.getProtocol() && !socket.connecting && isSecured(socket))
  return peer
}

/** A connection whose first packet begins with `text`. */
function prefixed(t: TestContext, port: number, text: string): Duplex {
  const raw = connectPlain(port, '127.0.0.1')
  t.after(() => raw.destroy())
  let before = Buffer.from(text)
  const stream = new Duplex({
    read: () => {},
    write(piece: Buffer, _coding, done) {
      raw.write(Buffer.concat([before, piece]), done)
      before = Buffer.alloc(0)
    },
  })
  raw.on('data', (piece) => stream.push(piece))
  return stream
}

const isSecured = (socket: TLSSocket) => socket.getPeerCertificate().subject !== undefined

const openConnections = async (door: RunningDoor) =>
  (await door.engine.stats()).listeners[0]?.connectionsOpen

describe('the certificate', () => {
  for (const [name, expected] of [
    ['one.test', 'one.test'],
    ['TWO.test', 'one.test'],
    ['a.wild.test', '*.wild.test'],
    ['a.b.wild.test', 'default.test'],
    ['wild.test', 'default.test'],
    ['unknown.test', 'default.test'],
    [undefined, 'default.test'],
  ] as const)
    test(`of ${expected} is shown to a client that asks for ${name ?? 'no name'}`, async (t) => {
      const { door } = await start(t)

      const client = await openSecure(t, door, name === undefined ? {} : { servername: name })

      const { subject } = (client.socket as TLSSocket).getPeerCertificate()
      assert.equal(subject.CN, expected)
      client.send(get)
      assert.equal(statusOf(await client.answer()), 200)
    })

  test('is replaced without an end to the connections there are', async (t) => {
    const { door, plan } = await start(t)
    const before = await openSecure(t, door)
    before.send(get)
    await before.answer()

    const listener = secureListener([certificateFor(['renewed.test'])])
    await door.engine.apply({ ...plan, listeners: [listener] })
    const after = await openSecure(t, door)
    const named = await openSecure(t, door, { servername: 'one.test' })

    assert.equal((after.socket as TLSSocket).getPeerCertificate().subject.CN, 'renewed.test')
    assert.equal((named.socket as TLSSocket).getPeerCertificate().subject.CN, 'renewed.test')
    for (const client of [before, after]) {
      client.send(get)
      assert.equal(statusOf(await client.answer()), 200)
    }
  })
})

describe('a handshake', () => {
  for (const [version, works] of [
    ['TLSv1', false],
    ['TLSv1.1', false],
    ['TLSv1.2', true],
    ['TLSv1.3', true],
  ] as const)
    test(`of ${version} is ${works ? 'made' : 'refused'}`, async (t) => {
      const { door } = await start(t)

      const socket = shakeHands(t, door, {
        minVersion: version,
        maxVersion: version,
        ciphers: 'DEFAULT:@SECLEVEL=0',
      })
      let failed = ''
      socket.on('error', (error: NodeJS.ErrnoException) => {
        failed = error.code ?? error.message
      })

      await until('an end', () => failed !== '' || socket.getPeerCertificate().subject)
      assert.equal(failed === '', works, failed)
      if (!works) await until('the close', async () => (await openConnections(door)) === 0)
    })

  for (const [name, bytes] of [
    ['plain HTTP', get],
    ['noise', '\x16\x03\x01\xff\xff\xff\xff'],
    ['nothing but a close', ''],
  ] as const)
    test(`that is ${name} ends its connection, and harms nobody`, async (t) => {
      const timeouts = { headMs: 200, idleMs: 60_000, stallMs: 60_000 }
      const { door, upstream } = await start(t, secureListener(certificates, { timeouts }))
      const client = await door.client()

      client.send(bytes)
      if (bytes === '') client.socket.end()

      await until('the close', async () => (await openConnections(door)) === 0)
      assert.equal(upstream.text, '')
      const other = await openSecure(t, door)
      other.send(get)
      assert.equal(statusOf(await other.answer()), 200)
    })

  test('that does not come is waited for no longer than a head', async (t) => {
    const timeouts = { headMs: 100, idleMs: 60_000, stallMs: 60_000 }
    const { door } = await start(t, secureListener(certificates, { timeouts }))
    const silent = await door.client()
    const slow = await door.client()
    slow.send('\x16\x03\x01')

    await silent.untilEnded()
    await slow.untilEnded()
    await until('the close', async () => (await openConnections(door)) === 0)
  })

  test('counts for the limit of connections while it lasts, and ends with the door', async (t) => {
    const limits = { connectionsMax: 2, headBytesMax: 16_384, headersMax: 100, bodyBytesMax: 0 }
    const { door } = await start(t, secureListener(certificates, { limits }))
    const silent = [await door.client(), await door.client()]

    const third = await door.client()
    await third.untilEnded()
    await door.engine.stop(0)

    for (const client of silent) await client.untilEnded()
  })

  test('is made with hundreds of clients at once', async (t) => {
    const { door } = await start(t)

    const clients = await Promise.all(Array.from({ length: 100 }, () => openSecure(t, door)))

    for (const client of clients) client.send(get)
    for (const client of clients) assert.equal(statusOf(await client.answer()), 200)
  })

  test('agrees on HTTP/1.1 where HTTP/2 is not offered', async (t) => {
    const { door } = await start(t, secureListener(certificates, {}, false))

    const client = await openSecure(t, door, { ALPNProtocols: ['h2', 'http/1.1'] })

    assert.equal((client.socket as TLSSocket).alpnProtocol, 'http/1.1')
  })

  test('offers HTTP/2 or not, as the plan of the day says', async (t) => {
    const { door, plan } = await start(t)
    const offered = async () => {
      const client = await openSecure(t, door, { ALPNProtocols: ['h2', 'http/1.1'] })
      return (client.socket as TLSSocket).alpnProtocol
    }
    assert.equal(await offered(), 'h2')

    await door.engine.apply({ ...plan, listeners: [secureListener(certificates, {}, false)] })
    assert.equal(await offered(), 'http/1.1')
    await door.engine.apply(plan)
    assert.equal(await offered(), 'h2')
  })

  test('follows a PROXY header in the same packet', async (t) => {
    const { door, upstream } = await start(
      t,
      secureListener(certificates, { acceptProxyProtocol: true }),
    )
    const socket = prefixed(t, door.port(), 'PROXY TCP4 10.1.2.3 127.0.0.1 12345 443\r\n')
    const client = new Peer(
      connect({ socket, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }),
    )

    client.send(get)

    assert.equal(statusOf(await client.answer()), 200)
    const [seen] = upstream.requests
    assert.ok(seen)
    assert.equal(header(seen, 'x-forwarded-for'), '10.1.2.3')
    assert.equal(header(seen, 'x-forwarded-proto'), 'https')
  })
})

describe('requests over TLS', () => {
  test('tell the replica so, and sticky cookies are for TLS only', async (t) => {
    const { door, upstream } = await start(t, undefined, undefined, {
      sticky: { cookie: 'herd', secret: 'a secret of some length' },
    })
    const client = await openSecure(t, door)

    client.send(get)

    assert.match(header(await client.answer(), 'set-cookie') ?? '', /; Secure$/)
    const [seen] = upstream.requests
    assert.ok(seen)
    assert.equal(header(seen, 'x-forwarded-proto'), 'https')
    assert.equal(header(seen, 'forwarded'), 'for=127.0.0.1;host=a;proto=https')
  })

  test('carry large bodies both ways', async (t) => {
    const { door } = await start(t, undefined, ({ body }) => ok(body.toString('latin1')))
    const client = await openSecure(t, door)
    const body = Buffer.alloc(2_000_000, 'abcdefg')

    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`)
    client.send(body)

    assert.ok((await client.answer()).body.equals(body))
  })

  test('that break the rules are refused as elsewhere', async (t) => {
    const { door, upstream } = await start(t)
    const client = await openSecure(t, door)

    client.send(
      'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    )

    assert.equal(statusOf(await client.answer()), 400)
    await client.untilEnded()
    assert.equal(upstream.text, '')
  })

  test('stop a replica that sends faster than the client reads', async (t) => {
    const { door, upstream } = await start(t, undefined, () => ok('x'.repeat(16_000_000)))
    const client = await openSecure(t, door)
    client.socket.pause()
    client.send(get)

    const left = await untilStill(() => upstream.connections[0]?.socket.writableLength ?? -1)
    assert.ok(left > 4_000_000, `${left}`)
    client.socket.resume()

    assert.equal((await client.answer()).body.length, 16_000_000)
  })

  test('of a client that vanishes are cancelled', async (t) => {
    const { door, upstream } = await start(t, undefined, () => undefined)
    const client = await openSecure(t, door)
    client.send(get)
    await until('the request', () => upstream.requests.length === 1)

    client.socket.destroy()

    await until('a cancel', () => upstream.connections[0]?.ended || upstream.connections[0]?.closed)
    await until('the end', async () => (await openConnections(door)) === 0)
  })
})
