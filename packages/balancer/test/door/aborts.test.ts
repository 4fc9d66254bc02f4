import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { until, untilStill } from '../until.ts'
import { statusOf, targetOf } from './messages.ts'
import type { Peer } from './peer.ts'
import { listenerOf, planOf, serviceOf } from './plans.ts'
import { startDoor, startTimedDoor } from './running-door.ts'
import { ok, startUpstream } from './upstream.ts'

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const part = 'HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\nthe beginning'

async function start(t: TestContext, answer: string | undefined) {
  const upstream = await startUpstream(t, { answer: () => answer })
  const door = await startDoor(t, planOf(serviceOf([upstream.port])))
  return { upstream, door, client: await door.client() }
}

const goings: Readonly<Record<string, (client: Peer) => void>> = {
  closes: (client) => client.socket.destroy(),
  resets: (client) => client.socket.resetAndDestroy(),
}

describe('a client that goes cancels its request at the replica', () => {
  for (const [name, go] of Object.entries(goings)) {
    test(`when it ${name} before the answer`, async (t) => {
      const { upstream, door, client } = await start(t, undefined)
      client.send(get)
      await until('the request', () => upstream.requests.length === 1)

      go(client)

      await until(
        'a cancel',
        () => upstream.connections[0]?.ended || upstream.connections[0]?.closed,
      )
      await until('the end', async () => (await door.service()).replicas[0]?.inFlight === 0)
    })

    test(`when it ${name} within the answer`, async (t) => {
      const { upstream, door, client } = await start(t, part)
      client.send(get)
      await client.untilText('the beginning')

      go(client)

      await until(
        'a cancel',
        () => upstream.connections[0]?.ended || upstream.connections[0]?.closed,
      )
      await until('the end', async () => (await door.service()).replicas[0]?.inFlight === 0)
    })

    test(`when it ${name} within its body`, async (t) => {
      const { upstream, door, client } = await start(t, undefined)
      client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\nabc')
      await until('the beginning', () => upstream.text.endsWith('abc'))

      go(client)

      await until(
        'a cancel',
        () => upstream.connections[0]?.ended || upstream.connections[0]?.closed,
      )
      assert.deepEqual(upstream.requests, [])
      await until('the end', async () => (await door.service()).replicas[0]?.inFlight === 0)
    })
  }

  test('and the replica is not blamed for it', async (t) => {
    const { upstream, door, client } = await start(t, part)
    client.send(get)
    await client.untilText('the beginning')

    client.socket.resetAndDestroy()

    await until('a cancel', () => upstream.connections[0]?.ended || upstream.connections[0]?.closed)
    assert.ok(door.events.every(({ kind }) => kind !== 'failed'))
  })

  test('and hundreds that do so leave nothing behind', async (t) => {
    const { door, client: first } = await start(t, part)
    first.socket.destroy()

    for (let round = 0; round < 10; round++) {
      const clients = await Promise.all(Array.from({ length: 30 }, () => door.client()))
      for (const [index, client] of clients.entries()) {
        client.send(get.slice(0, 1 + index))
        if (index % 3 === 0) client.send(get + get)
        if (index % 2 === 0) client.socket.resetAndDestroy()
        else client.socket.destroy()
      }
    }

    await until(
      'the end',
      async () => (await door.engine.stats()).listeners[0]?.connectionsOpen === 0,
    )
    const [replica] = (await door.service()).replicas
    assert.equal(replica?.inFlight, 0)
  })
})

describe('a client that has sent all it will', () => {
  test('still gets the answers that are there', async (t) => {
    const { client } = await start(t, ok('x'.repeat(50_000)))
    client.send(get)
    await client.answer()

    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')

    assert.equal((await client.answer()).body.length, 50_000)
    await client.untilEnded()
  })

  test('and reads slowly still gets the whole of its last answer', async (t) => {
    const body = 'x'.repeat(24_000_000)
    const upstream = await startUpstream(t, { answer: () => ok(body) })
    const timeouts = { headMs: 1_000, idleMs: 60_000, stallMs: 60_000 }
    const listener = listenerOf({ timeouts })
    const door = await startTimedDoor(t, planOf(serviceOf([upstream.port]), listener))
    const client = await door.client()
    client.socket.pause()
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    await untilStill(() => upstream.connections[0]?.socket.writableLength ?? -1)

    while (client.length < body.length && !client.ended) {
      await door.clock.advance(1_300)
      const before = client.length
      client.socket.once('data', () => client.socket.pause())
      client.socket.resume()
      await until('more', () => client.length > before || client.ended)
    }
    client.socket.resume()

    assert.equal((await client.answer()).body.length, body.length)
  })
})

describe('an answer that comes before the request is all there', () => {
  const early = (text: string) => (peer: Peer) => {
    let told = false
    peer.onChange(() => {
      if (told || !peer.text.includes('\r\n\r\n')) return
      told = true
      peer.send(text)
    })
  }

  test('is given, and ends both connections', async (t) => {
    const upstream = await startUpstream(t, { connection: early(ok('no need')) })
    const door = await startDoor(t, planOf(serviceOf([upstream.port])))
    const client = await door.client()
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n')
    client.send(Buffer.alloc(100_000))

    assert.equal((await client.answer()).body.toString(), 'no need')
    client.send(Buffer.alloc(100_000))

    await client.untilEnded()
    await until('an end', () => upstream.connections[0]?.ended || upstream.connections[0]?.closed)
  })

  test('is not lost to a client that sends all it has before it reads', async (t) => {
    const upstream = await startUpstream(t, { connection: early(ok('no need')) })
    const door = await startDoor(t, planOf(serviceOf([upstream.port])))
    const client = await door.client()
    client.socket.pause()
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n')
    client.send(Buffer.alloc(3_000_000))
    await untilStill(() => client.socket.writableLength)

    client.socket.resume()

    assert.equal((await client.answer()).body.toString(), 'no need')
  })

  test('does not let the rest of the body pass for a request', async (t) => {
    const upstream = await startUpstream(t, { connection: early(ok('no need')) })
    const door = await startDoor(t, planOf(serviceOf([upstream.port])))
    const client = await door.client()
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${get.length * 2}\r\n\r\n`)
    await client.answer()

    client.send(get + get)

    await client.untilEnded()
    assert.equal(client.text.match(/HTTP\/1\.1/g)?.length, 1)
  })

  test('lets the body go on when it is not complete itself', async (t) => {
    const upstream = await startUpstream(t, {
      connection: (peer) => {
        early('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf')(peer)
        peer.onChange(() => {
          if (peer.text.endsWith('last')) peer.send('half')
        })
      },
    })
    const door = await startDoor(t, planOf(serviceOf([upstream.port])))
    const client = await door.client()
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n')
    await client.untilText('half')

    client.send('last')

    assert.equal((await client.answer()).body.toString(), 'halfhalf')
    client.send('POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nlast')
    await until('the next', () => upstream.connections.some(({ text }) => text.includes('/2')))
  })
})

test('a half-open client is answered where the answer came first', async (t) => {
  const upstream = await startUpstream(t, { answer: (request) => ok(targetOf(request)) })
  const door = await startDoor(t, planOf(serviceOf([upstream.port])))
  const client = await door.client()
  client.send(get)
  assert.equal(statusOf(await client.answer()), 200)

  client.socket.end()

  await client.untilEnded()
})
