import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { until } from '../until.ts'
import { header, readRequest, statusOf } from './messages.ts'
import type { Peer } from './peer.ts'
import { planOf, serviceOf } from './plans.ts'
import { startDoor } from './running-door.ts'
import { ok, startUpstream } from './upstream.ts'

const head = (lines = '') =>
  `POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n${lines}\r\n`

/** Calls `then` once for each head that reaches the replica, before any body. */
function onHead(peer: Peer, then: () => void): void {
  let heads = 0
  peer.onChange(() => {
    const seen = peer.text.match(/\r\n\r\n/g)?.length ?? 0
    if (seen > heads) {
      heads = seen
      then()
    }
  })
}

describe('a client that expects 100 Continue', () => {
  test('is told to go on by the replica, and sends its body then', async (t) => {
    const upstream = await startUpstream(t, {
      connection(peer) {
        onHead(peer, () => peer.send('HTTP/1.1 100 Continue\r\n\r\n'))
        peer.onChange(() => {
          if (readRequest(peer.bytes, 0)) peer.send(ok('thanks'))
        })
      },
    })
    const door = await startDoor(t, planOf(serviceOf([upstream.port])))
    const client = await door.client()

    client.send(head())
    await client.untilText('HTTP/1.1 100 Continue\r\n\r\n')
    client.send('abcd')

    assert.equal((await client.answer()).body.toString(), 'thanks')
    const seen = readRequest(upstream.connections[0]?.bytes ?? Buffer.alloc(0), 0)
    assert.ok(seen)
    assert.equal(header(seen, 'expect'), '100-continue')
    assert.equal(seen.body.toString(), 'abcd')
  })

  for (const status of ['417 Expectation Failed', '401 Unauthorized', '200 OK'])
    test(`gets an early ${status} at once; neither connection is used again`, async (t) => {
      const upstream = await startUpstream(t, {
        connection(peer) {
          onHead(peer, () => peer.send(`HTTP/1.1 ${status}\r\nContent-Length: 2\r\n\r\nno`))
        },
      })
      const door = await startDoor(t, planOf(serviceOf([upstream.port])))
      const client = await door.client()

      client.send(head())

      assert.equal((await client.answer()).start, `HTTP/1.1 ${status}`)
      await client.untilEnded()
      await until(
        'a close',
        () => upstream.connections[0]?.closed || upstream.connections[0]?.ended,
      )
      const other = await door.client()
      other.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
      await other.answer()
      assert.equal(upstream.connections.length, 2)
    })

  test('may send its body without waiting, to a replica that ignores the wish', async (t) => {
    const upstream = await startUpstream(t, { answer: ({ body }) => ok(body.toString()) })
    const door = await startDoor(t, planOf(serviceOf([upstream.port])))
    const client = await door.client()

    client.send(`${head()}abcd`)

    assert.equal((await client.answer()).body.toString(), 'abcd')
    assert.ok(client.text.startsWith('HTTP/1.1 200'))
  })

  test('may have pipelined the request', async (t) => {
    const upstream = await startUpstream(t, {
      answer: ({ body }) => `HTTP/1.1 100 Continue\r\n\r\n${ok(body.toString())}`,
    })
    const door = await startDoor(t, planOf(serviceOf([upstream.port])))
    const client = await door.client()

    client.send(`${head()}abcd${head()}efgh`)

    assert.equal((await client.answer()).body.toString(), 'abcd')
    assert.equal((await client.answer()).body.toString(), 'efgh')
  })

  test('of HTTP/1.0 is not taken by its word', async (t) => {
    const upstream = await startUpstream(t)
    const door = await startDoor(t, planOf(serviceOf([upstream.port])))
    const client = await door.client()

    client.send(`${head().replace('HTTP/1.1', 'HTTP/1.0')}abcd`)

    assert.equal(statusOf(await client.answer()), 200)
    const [seen] = upstream.requests
    assert.ok(seen)
    assert.equal(header(seen, 'expect'), undefined)
  })
})

describe('informational answers', () => {
  test('103 goes on to the client before the answer', async (t) => {
    const early = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n'
    const upstream = await startUpstream(t, {
      answer: () => `${early}${early}HTTP/1.1 102 Processing\r\n\r\n${ok()}`,
    })
    const door = await startDoor(t, planOf(serviceOf([upstream.port])))
    const client = await door.client()

    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')

    assert.equal((await client.answer()).body.toString(), 'ok')
    assert.ok(client.text.startsWith(`${early}${early}HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200`))
  })

  test('100 that nobody asked for is kept from the client', async (t) => {
    const upstream = await startUpstream(t, {
      answer: () => `HTTP/1.1 100 Continue\r\n\r\n${ok()}`,
    })
    const door = await startDoor(t, planOf(serviceOf([upstream.port])))
    const client = await door.client()

    for (let round = 0; round < 2; round++) {
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
      assert.equal((await client.answer()).body.toString(), 'ok')
    }
    assert.ok(!client.text.includes('100 Continue'))
    assert.equal(upstream.connections.length, 1)
  })

  test('hop-by-hop headers of 103 are dropped, and framing headers with them', async (t) => {
    const upstream = await startUpstream(t, {
      answer: () =>
        'HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\nKeep-Alive: x\r\nConnection: X-Hop\r\n' +
        `X-Hop: 1\r\nX-Kept: 2\r\n\r\n${ok()}`,
    })
    const door = await startDoor(t, planOf(serviceOf([upstream.port])))
    const client = await door.client()

    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')

    await client.answer()
    assert.ok(client.text.startsWith('HTTP/1.1 103 Early Hints\r\nX-Kept: 2\r\n\r\nHTTP/1.1 200'))
  })

  test('without end are a broken answer', async (t) => {
    const upstream = await startUpstream(t, {
      answer: () => 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100),
    })
    const door = await startDoor(t, planOf(serviceOf([upstream.port])))
    const client = await door.client()

    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')

    assert.equal(statusOf(await client.answer()), 502)
  })
})
