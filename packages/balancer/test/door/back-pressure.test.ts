import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { ListenerPlan } from '../../src/plan.ts'
import { until, untilStill } from '../until.ts'
import { statusOf, targetOf } from './messages.ts'
import { listenerOf, planOf, serviceOf } from './plans.ts'
import { startDoor, startTimedDoor } from './running-door.ts'
import { type Answering, ok, startUpstream } from './upstream.ts'

const get = (target = '/') => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`
const large = 'x'.repeat(100_000)

async function start(t: TestContext, answer?: Answering, listener: Partial<ListenerPlan> = {}) {
  const upstream = await startUpstream(t, answer ? { answer } : {})
  const door = await startDoor(t, planOf(serviceOf([upstream.port]), listenerOf(listener)))
  return { upstream, door, client: await door.client() }
}

describe('a client that does not read', () => {
  test('is not answered ahead: its next requests wait until it does', async (t) => {
    const answer: Answering = (request) => ok(targetOf(request).padEnd(30_000, 'x'))
    const replicas = [await startUpstream(t, { answer }), await startUpstream(t, { answer })]
    const door = await startDoor(t, planOf(serviceOf(replicas.map(({ port }) => port))))
    const client = await door.client()
    const served = () => replicas.reduce((sum, { requests }) => sum + requests.length, 0)
    client.socket.pause()

    client.send(Array.from({ length: 1_500 }, (_, index) => get(`/${index}`)).join(''))
    const early = await untilStill(served)

    assert.ok(early < 750, `${early} requests were answered to nobody`)
    client.socket.resume()
    await until('all answers', () => client.length > 45_000_000)
    for (let index = 0; index < 1_500; index++)
      assert.ok((await client.answer()).body.toString('latin1', 0, 5).startsWith(`/${index}`))
  })

  test('is not answered ahead by the door itself', async (t) => {
    const body = 'x'.repeat(1_000_000)
    const action = { kind: 'answer', status: 200, contentType: 'text/plain', body } as const
    const { client } = await start(t, undefined, { routes: [{ name: 'x', match: {}, action }] })
    client.socket.pause()
    const before = process.memoryUsage().rss

    client.send(get().repeat(500))
    await untilStill(() => client.socket.bytesRead)

    const grown = process.memoryUsage().rss - before
    assert.ok(grown < 100_000_000, `${grown} bytes were gathered for nobody`)
    client.socket.destroy()
  })

  test('is cut off in the end, with requests still to be answered', async (t) => {
    const upstream = await startUpstream(t, { answer: () => ok(large) })
    const timeouts = { headMs: 1_000, idleMs: 5_000, stallMs: 2_000 }
    const door = await startTimedDoor(
      t,
      planOf(serviceOf([upstream.port]), listenerOf({ timeouts })),
    )
    const client = await door.client()
    client.socket.pause()
    client.send(get().repeat(300))
    await untilStill(() => upstream.requests.length)

    await door.clock.advance(6_000)

    const { listeners } = await door.engine.stats()
    assert.equal(listeners[0]?.connectionsOpen, 0)
  })

  test('holds up nobody else', async (t) => {
    const { door, client } = await start(t, () => ok(large))
    client.socket.pause()
    client.send(get().repeat(300))

    const other = await door.client()
    for (let round = 0; round < 20; round++) {
      other.send(get())
      assert.equal(statusOf(await other.answer()), 200)
    }
  })
})

describe('a client that sends ahead', () => {
  test('is stopped while its first request is answered', async (t) => {
    const { upstream, client } = await start(t, () => undefined)
    const flood = Buffer.from(get('/ahead').repeat(1_000_000))

    client.send(get())
    await until('the request', () => upstream.requests.length === 1)
    client.send(flood)
    const unsent = await untilStill(() => client.socket.writableLength)

    assert.ok(unsent > flood.length - 8_000_000, `${flood.length - unsent} bytes were taken`)
  })

  test('is stopped again each time, request after request', async (t) => {
    const { upstream, client } = await start(t, () => undefined)
    const flood = Buffer.from(get('/ahead').repeat(1_000_000))
    client.send(flood)

    for (let round = 1; round <= 20; round++) {
      await until(`request ${round}`, () => upstream.requests.length === round)
      upstream.connections[0]?.send(ok())
    }
    const unsent = await untilStill(() => client.socket.writableLength)

    assert.ok(unsent > flood.length - 8_000_000, `${flood.length - unsent} bytes were taken`)
  })
})

describe('a replica that does not read', () => {
  test('stops the client, and lets it go on later', async (t) => {
    const upstream = await startUpstream(t, {
      connection(peer) {
        peer.socket.pause()
        peer.onChange(() => {
          if (peer.length >= 30_000_000) peer.send(ok('all'))
        })
      },
    })
    const door = await startDoor(t, planOf(serviceOf([upstream.port])))
    const client = await door.client()
    client.send('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 30000000\r\n\r\n')
    client.send(Buffer.alloc(30_000_000))

    const unsent = await untilStill(() => client.socket.writableLength)
    assert.ok(unsent > 15_000_000, `${unsent}`)
    upstream.connections[0]?.socket.resume()

    assert.equal((await client.answer()).body.toString(), 'all')
  })
})

test('a thousand clients that never end their heads harm nobody, and get 408', async (t) => {
  const upstream = await startUpstream(t)
  const door = await startTimedDoor(t, planOf(serviceOf([upstream.port])))
  const slow = await Promise.all(Array.from({ length: 1_000 }, () => door.client()))
  for (const client of slow) client.send('GET / HTTP/1.1\r\nHost: a\r\nX: ')
  const quick = await door.client()
  const ask = async () => {
    quick.send(get())
    assert.equal(statusOf(await quick.answer()), 200)
  }

  for (let round = 0; round < 20; round++) {
    for (const client of slow) client.send('x')
    await ask()
    await door.clock.advance(400)
  }
  assert.ok(slow.every(({ text }) => text === ''))
  await door.clock.advance(3_000)

  for (const client of slow) assert.equal(statusOf(await client.answer()), 408)
  await ask()
})
