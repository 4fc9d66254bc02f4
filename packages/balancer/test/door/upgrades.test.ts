import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { until, untilStill } from '../until.ts'
import { header, readRequest, statusOf } from './messages.ts'
import type { Peer } from './peer.ts'
import { planOf, serviceOf } from './plans.ts'
import { startDoor, startTimedDoor } from './running-door.ts'
import { ok, startUpstream } from './upstream.ts'

const wish =
  'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n'
const granted =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSet-Cookie: a=b\r\n\r\n'

/** A replica that grants the wish as soon as `grant` is called; raw bytes from then on. */
async function start(t: TestContext, early = '') {
  const upstream = await startUpstream(t, {
    connection(peer) {
      let asked = false
      peer.onChange(() => {
        if (asked || !readRequest(peer.bytes, 0)) return
        asked = true
        if (held) return
        peer.send(granted + early)
      })
    },
  })
  let held = false
  const door = await startDoor(t, planOf(serviceOf([upstream.port])))
  const client = await door.client()
  const replica = async (): Promise<Peer> => {
    await until('the wish', () => upstream.connections[0]?.text.includes('\r\n\r\n'))
    return upstream.connections[0] as Peer
  }
  const hold = () => {
    held = true
  }
  return { upstream, door, client, replica, hold }
}

describe('an upgrade', () => {
  test('reaches the replica as it was asked for, and comes back as it was granted', async (t) => {
    const { client, replica } = await start(t)

    client.send(wish)
    await client.untilText('\r\n\r\n')

    const seen = readRequest((await replica()).bytes, 0)
    assert.ok(seen)
    assert.equal(header(seen, 'connection'), 'upgrade')
    assert.equal(header(seen, 'upgrade'), 'websocket')
    assert.equal(header(seen, 'sec-websocket-key'), 'dGhlIHNhbXBsZSBub25jZQ==')
    const lines = client.text.toLowerCase().split('\r\n')
    assert.equal(lines[0], 'http/1.1 101 switching protocols')
    for (const line of ['connection: upgrade', 'upgrade: websocket', 'set-cookie: a=b'])
      assert.equal(lines.filter((own) => own === line).length, 1, line)
  })

  test('carries bytes both ways, those that looked like HTTP too', async (t) => {
    const { client, replica } = await start(t)
    client.send(wish)
    await client.untilText('\r\n\r\n')
    const server = await replica()

    for (const words of [
      '\0\x01\xff',
      'GET / HTTP/1.1\r\n\r\n',
      'HTTP/1.1 200 OK\r\n\r\n',
      '0\r\n\r\n',
    ]) {
      client.send(words)
      await until(words, () => server.text.endsWith(words))
      server.send(words)
      await until(words, () => client.text.endsWith(words))
    }
  })

  test('loses no byte that the replica sent at once behind its 101', async (t) => {
    const { client } = await start(t, 'first frame')

    client.send(wish)

    await client.untilText('\r\n\r\nfirst frame')
  })

  for (const size of [11, 20_000, 300_000])
    test(`loses none of ${size} bytes that the client sent before the 101`, async (t) => {
      const { client, replica, hold } = await start(t)
      hold()
      const early = Buffer.alloc(size, 'frame')
      client.send(Buffer.concat([Buffer.from(wish), early]))
      const server = await replica()
      await untilStill(() => client.socket.writableLength)

      server.send(granted)
      await until('all of it', () => server.length >= size)
      client.send('the end')

      await server.untilText('the end')
      assert.ok(server.bytes.subarray(-size - 7, -7).equals(early))
    })

  test('ends on one side at a time', async (t) => {
    const { client, replica, door } = await start(t)
    client.send(wish)
    await client.untilText('\r\n\r\n')
    const server = await replica()

    client.socket.end('client is done')
    await until('the half close', () => server.ended)
    assert.ok(server.text.endsWith('client is done'))
    server.socket.end('replica is done')

    await until('the other half', () => client.ended)
    assert.ok(client.text.endsWith('replica is done'))
    await until('an end', async () => (await door.service()).replicas[0]?.inFlight === 0)
    const [counted] = (await door.service()).replicas
    assert.equal(counted?.statusTotal[1], 1)
  })

  test('ends on the side of the replica first', async (t) => {
    const { client, replica, door } = await start(t)
    client.send(wish)
    await client.untilText('\r\n\r\n')
    const server = await replica()

    server.socket.end('replica is done')
    await until('the half close', () => client.ended)
    client.socket.end('client is done')

    await until('the other half', () => server.ended)
    assert.ok(server.text.endsWith('client is done'))
    await until('an end', async () => (await door.service()).replicas[0]?.inFlight === 0)
  })

  test('is cut on both sides when one is reset', async (t) => {
    const { client, replica, door } = await start(t)
    client.send(wish)
    await client.untilText('\r\n\r\n')
    const server = await replica()

    client.socket.resetAndDestroy()

    await until('the cut', () => server.closed || server.ended)
    await until('an end', async () => (await door.service()).replicas[0]?.inFlight === 0)
  })

  test('stops the side that sends too fast', async (t) => {
    const { client, replica } = await start(t)
    client.send(wish)
    await client.untilText('\r\n\r\n')
    const server = await replica()
    const length = 40_000_000
    client.socket.pause()

    server.send(Buffer.alloc(length, 'x'))
    assert.ok((await untilStill(() => server.socket.writableLength)) > length / 2)
    client.socket.resume()
    await until('all of it', () => client.length > length)

    server.socket.pause()
    client.send(Buffer.alloc(length, 'y'))
    assert.ok((await untilStill(() => client.socket.writableLength)) > length / 2)
    server.socket.resume()
    await until('all of it', () => server.length > length)
  })

  test('lives on for hours without a byte, where nothing bounds it', async (t) => {
    const upstream = await startUpstream(t, { answer: () => granted })
    const door = await startTimedDoor(t, planOf(serviceOf([upstream.port])))
    const client = await door.client()
    client.send(wish)
    await client.untilText('\r\n\r\n')

    await door.clock.advance(3_600_000)
    upstream.connections[0]?.send('good morning')

    await client.untilText('good morning')
  })

  test('that the replica does not grant is an answer like any other', async (t) => {
    const upstream = await startUpstream(t, { answer: () => ok('no') })
    const door = await startDoor(t, planOf(serviceOf([upstream.port])))
    const client = await door.client()

    client.send(wish + wish)

    for (let round = 0; round < 2; round++)
      assert.equal((await client.answer()).body.toString(), 'no')
  })

  test('that nobody asked for is a 502', async (t) => {
    const upstream = await startUpstream(t, { answer: () => granted })
    const door = await startDoor(t, planOf(serviceOf([upstream.port])))
    const client = await door.client()

    client.send(wish.replace('Connection: Upgrade', 'X: 1'))

    assert.equal(statusOf(await client.answer()), 502)
  })

  test('to another protocol than was asked for is a 502', async (t) => {
    const upstream = await startUpstream(t, {
      answer: () => granted.replace('Upgrade: websocket', 'Upgrade: h2c'),
    })
    const door = await startDoor(t, planOf(serviceOf([upstream.port])))
    const client = await door.client()

    client.send(wish)

    assert.equal(statusOf(await client.answer()), 502)
  })

  test('with a body is not passed on as one', async (t) => {
    const upstream = await startUpstream(t, { answer: ({ body }) => ok(body.toString()) })
    const door = await startDoor(t, planOf(serviceOf([upstream.port])))
    const client = await door.client()

    client.send(`${wish.slice(0, -2)}Content-Length: 4\r\n\r\nabcd`)

    assert.equal((await client.answer()).body.toString(), 'abcd')
    const [seen] = upstream.requests
    assert.ok(seen)
    assert.equal(header(seen, 'upgrade'), undefined)
  })
})
