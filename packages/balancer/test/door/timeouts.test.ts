import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { ListenerTimeouts, ServiceTimeouts } from '../../src/plan.ts'
import { until } from '../until.ts'
import { openDeafPort } from './deaf-port.ts'
import { type Message, statusOf } from './messages.ts'
import { listenerOf, planOf, serviceOf } from './plans.ts'
import { startTimedDoor } from './running-door.ts'
import { ok, startUpstream } from './upstream.ts'

const client: ListenerTimeouts = { headMs: 1_000, idleMs: 5_000, stallMs: 2_000 }
const replica: ServiceTimeouts = {
  connectMs: 1_000,
  firstByteMs: 3_000,
  responseMs: 0,
  keepAliveMs: 60_000,
}
const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

const codeOf = (answer: Message) => JSON.parse(answer.body.toString()).code

async function start(
  t: TestContext,
  ports: readonly number[],
  given: Partial<ServiceTimeouts> = {},
  listener: Partial<ListenerTimeouts> = {},
) {
  const service = serviceOf(ports, { timeouts: { ...replica, ...given } })
  const door = await startTimedDoor(
    t,
    planOf(service, listenerOf({ timeouts: { ...client, ...listener } })),
  )
  return { door, client: await door.client() }
}

/** A replica that takes requests and says nothing. */
async function startSilent(t: TestContext) {
  const upstream = await startUpstream(t, { answer: () => undefined })
  const received = () => until('the request', () => upstream.requests.length > 0)
  return { ...upstream, upstream, received }
}

describe('a client', () => {
  test('that says nothing is cut off without a word', async (t) => {
    const { door, client } = await start(t, [])

    await door.clock.advance(900)
    assert.equal(client.ended, false)
    await door.clock.advance(400)

    await client.untilEnded()
    assert.equal(client.text, '')
  })

  for (const [name, first] of [
    ['its first request', ''],
    ['its second request', get],
  ] as const)
    test(`that drips ${name} gets 408, however steadily`, async (t) => {
      const upstream = await startUpstream(t)
      const { door, client } = await start(t, [upstream.port])
      if (first !== '') {
        client.send(first)
        await client.answer()
      }

      for (const byte of 'GET / HTTP/1.1\r\nHost: a\r\nX: ') {
        await client.sendSlowly(byte)
        await door.clock.advance(100)
      }

      const answer = await client.answer()
      assert.equal(statusOf(answer), 408)
      await client.untilEnded()
      assert.equal(upstream.requests.length, first === '' ? 0 : 1)
    })

  test('that is idle between two requests is cut off later', async (t) => {
    const upstream = await startUpstream(t)
    const { door, client } = await start(t, [upstream.port])
    client.send(get)
    await client.answer()

    await door.clock.advance(4_900)
    assert.equal(client.ended, false)
    await door.clock.advance(400)

    await client.untilEnded()
  })

  test('that stops within its body gets 408, and the replica is not to blame', async (t) => {
    const upstream = await startUpstream(t)
    const { door, client } = await start(t, [upstream.port])
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nab')
    await until('the beginning', () => upstream.text.endsWith('ab'))

    await door.clock.advance(1_900)
    assert.equal(client.text, '')
    await door.clock.advance(400)

    const answer = await client.answer()
    assert.equal(statusOf(answer), 408)
    await client.untilEnded()
    await until('a cancel', () => upstream.connections[0]?.closed || upstream.connections[0]?.ended)
    assert.deepEqual(
      door.events.filter(({ kind }) => kind === 'failed'),
      [],
    )
  })

  test('that goes on with its body in time is waited for', async (t) => {
    const upstream = await startUpstream(t)
    const { door, client } = await start(t, [upstream.port])
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n')

    for (const byte of '0123456789') {
      await door.clock.advance(1_500)
      client.send(byte)
      await until(`byte ${byte}`, () => upstream.text.endsWith(byte))
    }

    assert.equal(statusOf(await client.answer()), 200)
  })

  test('that does not read its answer is cut off, and the replica with it', async (t) => {
    const upstream = await startUpstream(t, {
      answer: () => `HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n${'x'.repeat(20_000_000)}`,
    })
    const { door, client } = await start(t, [upstream.port])
    client.socket.pause()
    client.send(get)
    await until('a beginning', () => (upstream.connections[0]?.socket.bytesWritten ?? 0) > 100_000)
    await until('a stop', () => upstream.connections[0]?.socket.writableNeedDrain)

    let turn = 0
    await until('the cut', async () => {
      await door.clock.advance(500)
      turn++
      return upstream.connections[0]?.closed || upstream.connections[0]?.reset
    })

    assert.ok(turn >= 4)
    assert.deepEqual(
      door.events.filter(({ kind }) => kind === 'failed'),
      [],
    )
  })
})

describe('a replica', () => {
  test('that does not take the connection is passed over', async (t) => {
    const deaf = await openDeafPort(t)
    const upstream = await startUpstream(t)
    const { door, client } = await start(t, [deaf, upstream.port])
    const other = await door.client()
    client.send(get)
    other.send(get)
    await until('one of them', () => upstream.requests.length === 1)

    await until('the other one', async () => {
      await door.clock.advance(200)
      return upstream.requests.length === 2
    })

    assert.equal(statusOf(await client.answer()), 200)
    assert.equal(statusOf(await other.answer()), 200)
    assert.deepEqual(
      door.events.filter(({ kind }) => kind === 'failed'),
      [{ kind: 'failed', replica: `r${deaf}`, reason: 'no connection in time', refused: true }],
    )
  })

  test('is not blamed for a request whose whole time is over', async (t) => {
    const deaf = [await openDeafPort(t), await openDeafPort(t)]
    const { door, client } = await start(t, deaf, { connectMs: 60_000, responseMs: 1_000 })
    client.send(get)
    await until('an attempt', async () => ((await door.service()).replicas[0]?.inFlight ?? 0) > 0)

    await door.clock.advance(2_000)

    assert.equal(statusOf(await client.answer()), 504)
    assert.ok(door.events.length <= 1, JSON.stringify(door.events))
  })

  for (const [method, text] of [
    ['GET', get],
    ['POST', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab'],
  ] as const)
    test(`that says nothing to a ${method} is answered for with 504`, async (t) => {
      const silent = await startSilent(t)
      const { door, client } = await start(t, [silent.port])
      client.send(text)
      await silent.received()

      await door.clock.advance(2_900)
      assert.equal(client.text, '')
      await door.clock.advance(400)

      const answer = await client.answer()
      assert.equal(statusOf(answer), 504)
      assert.equal(codeOf(answer), 'REPLICA_TIMEOUT')
      assert.equal(silent.requests.length, 1)
      await until('the cancel', () => silent.connections[0]?.ended)
      assert.equal(door.events[0]?.kind, 'failed')
      client.send(text)
      await until('the next', () => silent.requests.length === 2)
    })

  test('that stops within the head of its answer is answered for with 504', async (t) => {
    const upstream = await startUpstream(t, { answer: () => 'HTTP/1.1 200 OK\r\nX: 1\r\n' })
    const { door, client } = await start(t, [upstream.port])
    client.send(get)
    await until('the request', () => upstream.requests.length === 1)

    await door.clock.advance(4_000)

    assert.equal(statusOf(await client.answer()), 504)
  })

  test('that does not read the body is to blame, and not the client', async (t) => {
    const upstream = await startUpstream(t, { connection: (peer) => peer.socket.pause() })
    const { door, client } = await start(t, [upstream.port])
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n')
    const piece = Buffer.alloc(1_000_000)
    await until(
      'a stop',
      () => client.socket.write(piece) === false && client.socket.writableLength > 2e7,
    )

    let ticks = 0
    await until('the end', async () => {
      await door.clock.advance(500)
      return ++ticks > 100 || client.text !== ''
    })

    assert.equal(statusOf(await client.answer()), 504)
    assert.equal(door.events[0]?.kind, 'failed')
  })

  test('that takes too long for the whole answer is cut off', async (t) => {
    const upstream = await startUpstream(t, {
      answer: () => 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nab',
    })
    const { door, client } = await start(t, [upstream.port], { responseMs: 4_000 })
    client.send(get)
    await client.untilText('ab')

    await door.clock.advance(3_900)
    assert.equal(client.ended, false)
    await door.clock.advance(400)

    await client.untilEnded()
    await until('the cancel', () => upstream.connections[0]?.ended)
  })

  test('may take its time for the answer where nothing bounds it', async (t) => {
    const upstream = await startUpstream(t, {
      answer: () => 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab',
    })
    const { door, client } = await start(t, [upstream.port])
    client.send(get)
    await client.untilText('ab')

    await door.clock.advance(3_600_000)
    upstream.connections[0]?.send('c')

    assert.equal((await client.answer()).body.toString(), 'abc')
  })

  test('whose time is not bounded may keep a client waiting', async (t) => {
    const silent = await startSilent(t)
    const { door, client } = await start(t, [silent.port], { firstByteMs: 0 })
    client.send(get)
    await silent.received()

    await door.clock.advance(3_600_000)
    silent.connections[0]?.send(ok('at last'))

    assert.equal((await client.answer()).body.toString(), 'at last')
  })
})
