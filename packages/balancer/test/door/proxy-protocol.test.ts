import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { parseProxyHeader, proxyHeader } from '../../src/door/proxy-protocol.ts'
import { until } from '../until.ts'
import { header, statusOf } from './messages.ts'
import { listenerOf, planOf, serviceOf } from './plans.ts'
import { startTimedDoor } from './running-door.ts'
import { startUpstream } from './upstream.ts'

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const signature = '\r\n\r\n\0\r\nQUIT\n'

/** A binary header: command, family and protocol, then the addresses. */
function binary(command: number, family: number, addresses: string): string {
  const length = String.fromCharCode(addresses.length >> 8, addresses.length & 255)
  return signature + String.fromCharCode(command, family) + length + addresses
}

const v4 = '\x0a\x01\x02\x03\x7f\0\0\x01\x30\x39\x1f\x90'
const v6 = `\x20\x01\x0d\xb8${'\0'.repeat(11)}\x07${'\0'.repeat(15)}\x01\x30\x39\x1f\x90`
const mapped = `${'\0'.repeat(10)}\xff\xff\x0a\x01\x02\x03${'\0'.repeat(20)}`

/** Headers that are well, and the address that the replica is told. */
const well: Readonly<Record<string, readonly [sent: string, address: string]>> = {
  'text, TCP4': ['PROXY TCP4 10.1.2.3 127.0.0.1 12345 8080\r\n', '10.1.2.3'],
  'text, TCP6': ['PROXY TCP6 2001:db8::7 ::1 12345 8080\r\n', '2001:db8::7'],
  'text, unknown': ['PROXY UNKNOWN\r\n', '127.0.0.1'],
  'text, unknown with more': ['PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n', '127.0.0.1'],
  'binary, IPv4': [binary(0x21, 0x11, v4), '10.1.2.3'],
  'binary, IPv4 with extensions': [binary(0x21, 0x11, `${v4}\x04\0\x02ab`), '10.1.2.3'],
  'binary, IPv6': [binary(0x21, 0x21, v6), '2001:db8:0:0:0:0:0:7'],
  'binary, IPv4 in IPv6': [binary(0x21, 0x21, mapped), '10.1.2.3'],
  'binary, unspecified': [binary(0x21, 0x00, ''), '127.0.0.1'],
  'binary, local': [binary(0x20, 0x11, v4), '127.0.0.1'],
}

const broken: Readonly<Record<string, string>> = {
  'no header': get,
  'an empty line': `\r\n${get}`,
  'another word': 'PROXIED TCP4 10.1.2.3 127.0.0.1 1 2\r\n',
  'lower case': 'proxy TCP4 10.1.2.3 127.0.0.1 1 2\r\n',
  'an unknown family': 'PROXY TCP5 10.1.2.3 127.0.0.1 1 2\r\n',
  'the wrong family': 'PROXY TCP4 2001:db8::7 ::1 1 2\r\n',
  'no addresses': 'PROXY TCP4\r\n',
  'a missing port': 'PROXY TCP4 10.1.2.3 127.0.0.1 1\r\n',
  'one word too many': 'PROXY TCP4 10.1.2.3 127.0.0.1 1 2 3\r\n',
  'a name for an address': 'PROXY TCP4 localhost 127.0.0.1 1 2\r\n',
  'a bad target address': 'PROXY TCP4 10.1.2.3 localhost 1 2\r\n',
  'a port over 65535': 'PROXY TCP4 10.1.2.3 127.0.0.1 70000 2\r\n',
  'two blanks': 'PROXY  TCP4 10.1.2.3 127.0.0.1 1 2\r\n',
  'a bare line feed': 'PROXY TCP4 10.1.2.3 127.0.0.1 1 2\n',
  'a line without end': `PROXY TCP4 ${'1'.repeat(200)}`,
  'a line of unknown that is too long': `PROXY UNKNOWN ${'x'.repeat(200)}\r\n`,
  'an unknown version': binary(0x31, 0x11, v4),
  'an unknown command': binary(0x22, 0x11, v4),
  'too long a binary header': `${signature}\x21\x11\xff\xff`,
  'too few addresses': binary(0x21, 0x11, v4.slice(0, 8)),
  'half a signature and words': '\r\n\r\n\0\r\nQUIET\n',
}

async function start(t: TestContext, trusted: readonly string[] = []) {
  const upstream = await startUpstream(t)
  const listener = listenerOf({
    acceptProxyProtocol: true,
    timeouts: { headMs: 1_000, idleMs: 5_000, stallMs: 5_000 },
  })
  const door = await startTimedDoor(t, planOf(serviceOf([upstream.port]), listener, trusted))
  return { upstream, door, client: await door.client() }
}

describe('a PROXY header from a client', () => {
  for (const [name, [sent, address]] of Object.entries(well))
    for (const way of ['in one piece', 'byte for byte'])
      test(`${name}, ${way}, is believed`, async (t) => {
        const { upstream, client } = await start(t)

        if (way === 'in one piece') client.send(sent + get + get)
        else await client.sendSlowly(sent + get + get)

        assert.equal(statusOf(await client.answer()), 200)
        assert.equal(statusOf(await client.answer()), 200)
        const [seen] = upstream.requests
        assert.ok(seen)
        assert.equal(header(seen, 'x-forwarded-for'), address)
      })

  for (const [name, sent] of Object.entries(broken))
    test(`${name}: the connection is closed without a word`, async (t) => {
      const { upstream, door, client } = await start(t)

      client.send(`${sent}${get}`)
      await client.untilEnded()

      assert.equal(client.text, '')
      assert.equal(upstream.text, '')
      const { listeners } = await door.engine.stats()
      assert.equal(listeners[0]?.connectionsRefusedTotal, 1)
      assert.equal(listeners[0]?.connectionsOpen, 0)
    })

  test('that does not come is waited for no longer than a head', async (t) => {
    const { door, client } = await start(t)
    client.send('PROXY TC')

    await door.clock.advance(2_000)

    await client.untilEnded()
    assert.equal(client.text, '')
  })

  test('counts for the limit of connections while it is waited for', async (t) => {
    const upstream = await startUpstream(t)
    const limits = { connectionsMax: 2, headBytesMax: 16_384, headersMax: 100, bodyBytesMax: 0 }
    const listener = listenerOf({ acceptProxyProtocol: true, limits })
    const door = await startTimedDoor(t, planOf(serviceOf([upstream.port]), listener))
    await door.client()
    await door.client()

    const third = await door.client()

    await third.untilEnded()
    const { listeners } = await door.engine.stats()
    assert.equal(listeners[0]?.connectionsRefusedTotal, 1)
  })
})

describe('a PROXY header to a replica', () => {
  test('tells a replica of a TCP service who the client is', async (t) => {
    const upstream = await startUpstream(t, { connection: () => {} })
    const service = serviceOf([upstream.port], { sendProxyProtocol: true })
    const listener = listenerOf({ protocol: 'tcp', service: 'web' })
    const door = await startTimedDoor(t, planOf(service, listener))
    const client = await door.client()
    client.send('hello')
    await until('the words', () => upstream.text.endsWith('hello'))

    const { address, rest } = told(upstream.connections[0]?.bytes)
    assert.equal(address, '127.0.0.1')
    assert.equal(rest, 'hello')
    const bytes = upstream.connections[0]?.bytes ?? Buffer.alloc(0)
    assert.equal(bytes.readUInt16BE(24), client.socket.localPort)
    assert.equal(bytes.readUInt16BE(26), door.port())
  })

  test('passes on what it was told itself', async (t) => {
    const upstream = await startUpstream(t, { connection: () => {} })
    const service = serviceOf([upstream.port], { sendProxyProtocol: true })
    const listener = listenerOf({ protocol: 'tcp', service: 'web', acceptProxyProtocol: true })
    const door = await startTimedDoor(t, planOf(service, listener))
    const client = await door.client()
    client.send('PROXY TCP6 2001:db8::7 2001:db8::8 12345 8080\r\nhello')
    await until('the words', () => upstream.text.endsWith('hello'))

    assert.equal(told(upstream.connections[0]?.bytes).address, '2001:db8:0:0:0:0:0:7')
  })
})

function told(bytes: Buffer | undefined) {
  const header = parseProxyHeader(bytes ?? Buffer.alloc(0))
  assert.ok(header !== undefined && header !== 'broken')
  return { address: header.address, rest: header.rest.toString() }
}

test('what is written is read again, cut anywhere', () => {
  const address = fc.oneof(fc.ipV4(), fc.constantFrom('::1', '2001:db8::1:2', 'fe80::1'))
  const port = fc.integer({ min: 0, max: 65_535 })
  const ends = fc.record({ source: address, sourcePort: port, target: address, targetPort: port })
  fc.assert(
    fc.property(ends, fc.string(), (one, rest) => {
      const head = proxyHeader(one)
      const whole = Buffer.concat([head, Buffer.from(rest)])
      for (let cut = 0; cut < head.length; cut++)
        assert.equal(parseProxyHeader(whole.subarray(0, cut)), undefined)
      const read = parseProxyHeader(whole)
      assert.ok(read !== undefined && read !== 'broken')
      assert.equal(read.rest.toString(), rest)
    }),
  )
})

test('any bytes at all are read without throwing', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.uint8Array({ maxLength: 600 }), (signed, bytes) => {
      const start = signed ? Buffer.from(signature, 'latin1') : Buffer.from('PROXY ')
      parseProxyHeader(Buffer.concat([start, bytes]))
      parseProxyHeader(Buffer.from(bytes))
    }),
  )
})
