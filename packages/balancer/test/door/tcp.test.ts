import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { ListenerPlan, ServicePlan } from '../../src/plan.ts'
import { until, untilStill } from '../until.ts'
import { openDeafPort } from './deaf-port.ts'
import type { Peer } from './peer.ts'
import { listenerOf, planOf, serviceOf } from './plans.ts'
import { startDoor, startTimedDoor } from './running-door.ts'
import { startUpstream } from './upstream.ts'

const tcp = (given: Partial<ListenerPlan> = {}) =>
  listenerOf({ protocol: 'tcp', service: 'web', routes: [], ...given })

/** A replica that takes bytes and says nothing by itself. */
async function start(
  t: TestContext,
  service: Partial<ServicePlan> = {},
  listener: Partial<ListenerPlan> = {},
) {
  const upstream = await startUpstream(t, { connection: () => {} })
  const door = await startDoor(t, planOf(serviceOf([upstream.port], service), tcp(listener)))
  const client = await door.client()
  const replica = async (): Promise<Peer> => {
    await until('a connection', () => upstream.connections.length > 0)
    return upstream.connections[0] as Peer
  }
  return { upstream, door, client, replica }
}

describe('a TCP service', () => {
  test('carries bytes both ways as they are', async (t) => {
    const { client, replica } = await start(t)
    const server = await replica()
    const all = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte))

    server.send('who is there?')
    await client.untilText('who is there?')
    client.send(all)
    await server.untilText(all)
    server.send(all)
    await client.untilText(all)
  })

  test('ends the side of the client first, then the other', async (t) => {
    const { client, replica, door } = await start(t)
    const server = await replica()

    client.socket.end('question')
    await until('the half close', () => server.ended)
    assert.equal(server.text, 'question')
    server.send('long ')
    server.socket.end('answer')

    await until('the other half', () => client.ended)
    assert.equal(client.text, 'long answer')
    await until(
      'an end',
      async () => (await door.engine.stats()).listeners[0]?.connectionsOpen === 0,
    )
    assert.equal((await door.service()).replicas[0]?.inFlight, 0)
  })

  test('ends the side of the replica first, then the other', async (t) => {
    const { client, replica, door } = await start(t)
    const server = await replica()

    server.socket.end('greeting')
    await until('the half close', () => client.ended)
    client.send('still ')
    client.socket.end('here')

    await until('the other half', () => server.ended)
    assert.equal(server.text, 'still here')
    await until(
      'an end',
      async () => (await door.engine.stats()).listeners[0]?.connectionsOpen === 0,
    )
  })

  test('delivers everything to a client that reads slowly and whose replica is long gone', async (t) => {
    const { client, replica } = await start(t)
    const server = await replica()
    client.socket.pause()
    const all = Buffer.alloc(10_000_000, 'x')

    server.socket.end(all)
    client.socket.end()
    await untilStill(() => server.socket.writableLength)
    client.socket.resume()

    await until('the end', () => client.ended || client.closed)
    assert.equal(client.length, all.length)
  })

  test('stops the side that sends too fast', async (t) => {
    const { client, replica } = await start(t)
    const server = await replica()
    const length = 40_000_000
    server.socket.pause()

    client.send(Buffer.alloc(length))
    assert.ok((await untilStill(() => client.socket.writableLength)) > length / 2)
    server.socket.resume()

    await until('all of it', () => server.length === length)
  })

  for (const [name, port] of [
    ['refuses', async (t: TestContext) => (await startClosed(t)).port],
    ['does not take', openDeafPort],
  ] as const)
    test(`loses no byte when a replica ${name} the connection`, async (t) => {
      const bad = await port(t)
      const upstream = await startUpstream(t, { connection: () => {} })
      const service = serviceOf([bad, upstream.port], {
        timeouts: { connectMs: 1_000, firstByteMs: 0, responseMs: 0, keepAliveMs: 0 },
      })
      const door = await startTimedDoor(t, planOf(service, tcp()))

      for (let round = 0; round < 4; round++) {
        const client = await door.client()
        client.send(`words of ${round}`)
        await until(`words of ${round}`, async () => {
          await door.clock.advance(100)
          return upstream.connections.some(({ text }) => text === `words of ${round}`)
        })
      }
    })

  test('loses no byte of a client that waits for its replica', async (t) => {
    const upstream = await startUpstream(t, { connection: () => {} })
    const door = await startTimedDoor(t, planOf(serviceOf([], { expected: 1 }), tcp()))
    const client = await door.client()
    client.socket.end('early words')
    await until('a wait', async () => (await door.service()).waiting === 1)

    await door.engine.apply(planOf(serviceOf([upstream.port]), tcp()))

    await until('the end of the words', () => upstream.connections[0]?.ended)
    assert.equal(upstream.connections[0]?.text, 'early words')
  })

  test('closes a client for whom there is no replica', async (t) => {
    const door = await startDoor(t, planOf(serviceOf([]), tcp()))

    const client = await door.client()

    await client.untilEnded()
    await until(
      'an end',
      async () => (await door.engine.stats()).listeners[0]?.connectionsOpen === 0,
    )
  })

  test('closes a client that waited as long as it may', async (t) => {
    const door = await startTimedDoor(t, planOf(serviceOf([], { expected: 1 }), tcp()))
    const client = await door.client()
    await until('a wait', async () => (await door.service()).waiting === 1)

    await door.clock.advance(6_000)

    await client.untilEnded()
    assert.equal((await door.service()).waitExpiredTotal, 1)
  })

  test('forgets a client that goes while it waits', async (t) => {
    const door = await startTimedDoor(t, planOf(serviceOf([], { expected: 1 }), tcp()))
    const client = await door.client()
    await until('a wait', async () => (await door.service()).waiting === 1)

    client.socket.resetAndDestroy()

    await until('an empty queue', async () => {
      await door.clock.advance(100)
      return (await door.service()).waiting === 0
    })
  })

  test('limits the connections of one client', async (t) => {
    const { door, client } = await start(t, { rateLimit: { perSecond: 0.001, burst: 2 } })
    const second = await door.client()
    const third = await door.client()

    await third.untilEnded()

    assert.equal(client.ended || second.ended, false)
  })

  test('keeps to the limit of each replica, and gives the place on', async (t) => {
    const { door, client, replica, upstream } = await start(t, { inFlightMax: 1 })
    const server = await replica()
    const second = await door.client()
    second.send('second')
    await until('a wait', async () => (await door.service()).waiting === 1)
    assert.equal(upstream.connections.length, 1)

    client.socket.destroy()
    await until('the half close', () => server.ended)
    server.socket.end()

    await until('the second', () => upstream.connections[1]?.text === 'second')
  })
})

async function startClosed(t: TestContext) {
  const upstream = await startUpstream(t)
  await upstream.close()
  return upstream
}
