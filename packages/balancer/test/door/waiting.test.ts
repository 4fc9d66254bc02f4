import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { QueuePlan, ServicePlan } from '../../src/plan.ts'
import { until } from '../until.ts'
import { header, type Message, statusOf, targetOf } from './messages.ts'
import type { Peer } from './peer.ts'
import { planOf, replicaOf, serviceOf } from './plans.ts'
import { type RunningDoor, startTimedDoor } from './running-door.ts'
import { ok, type Seen, startUpstream } from './upstream.ts'

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`
const codeOf = (answer: Message) => JSON.parse(answer.body.toString()).code

/** A replica that answers only when it is told to. */
async function startHolding(t: TestContext) {
  const held: { request: Seen; peer: Peer }[] = []
  const upstream = await startUpstream(t, {
    answer(request, peer) {
      held.push({ request, peer })
      return undefined
    },
  })
  const letGo = () => {
    const next = held.shift()
    assert.ok(next, 'nothing is held')
    next.peer.send(ok(targetOf(next.request)))
  }
  return { upstream, held, letGo }
}

/** Waits until so many requests are in the queue. */
async function untilWaiting(door: RunningDoor, count: number): Promise<void> {
  await until(`${count} that wait`, async () => (await door.service()).waiting === count)
}

async function start(t: TestContext, given: Partial<ServicePlan> = {}) {
  const holding = await startHolding(t)
  const service = serviceOf([holding.upstream.port], { inFlightMax: 1, ...given })
  const door = await startTimedDoor(t, planOf(service))
  const ask = async (target: string) => {
    const client = await door.client()
    client.send(get(target))
    return client
  }
  const waitFor = (count: number) => untilWaiting(door, count)
  return { ...holding, service, door, ask, waitFor }
}

const queue = (given: Partial<QueuePlan>): Partial<ServicePlan> => ({
  queue: { sizeMax: 100, waitMs: 5_000, order: 'oldest-first', ...given },
})

describe('requests that no replica has room for', () => {
  for (const [order, expected] of [
    ['oldest-first', ['/0', '/1', '/2', '/3']],
    ['newest-first', ['/0', '/3', '/2', '/1']],
  ] as const)
    test(`wait, and are served ${order}`, async (t) => {
      const { held, letGo, ask, waitFor, upstream } = await start(t, queue({ order }))
      const clients = [await ask('/0')]
      await until('the first', () => held.length === 1)
      for (const [index, target] of ['/1', '/2', '/3'].entries()) {
        clients.push(await ask(target))
        await waitFor(index + 1)
      }

      for (let served = 0; served < 4; served++) {
        await until('a request', () => held.length === 1)
        letGo()
      }

      for (const [index, client] of clients.entries())
        assert.equal((await client.answer()).body.toString(), `/${index}`)
      assert.deepEqual(upstream.requests.map(targetOf), expected)
    })

  test('are refused with 503 and Retry-After when the queue is full', async (t) => {
    const { held, ask, waitFor } = await start(t, queue({ sizeMax: 1 }))
    await ask('/0')
    await until('the first', () => held.length === 1)
    await ask('/1')
    await waitFor(1)

    const answer = await (await ask('/2')).answer()

    assert.equal(statusOf(answer), 503)
    assert.equal(codeOf(answer), 'QUEUE_FULL')
    assert.match(header(answer, 'retry-after') ?? '', /^\d+$/)
  })

  test('are refused with 503 and Retry-After when they have waited long enough', async (t) => {
    const { held, ask, waitFor, door } = await start(t, queue({ waitMs: 1_000 }))
    await ask('/0')
    await until('the first', () => held.length === 1)
    const client = await ask('/1')
    await waitFor(1)

    await door.clock.advance(900)
    assert.equal(client.text, '')
    await door.clock.advance(400)

    const answer = await client.answer()
    assert.equal(statusOf(answer), 503)
    assert.equal(codeOf(answer), 'WAIT_EXPIRED')
    assert.match(header(answer, 'retry-after') ?? '', /^\d+$/)
    assert.equal((await door.service()).waitExpiredTotal, 1)
    client.send(get('/2'))
    await waitFor(1)
  })

  test('that never wait are refused at once', async (t) => {
    const { held, ask } = await start(t, queue({ sizeMax: 0 }))
    await ask('/0')
    await until('the first', () => held.length === 1)

    assert.equal(statusOf(await (await ask('/1')).answer()), 503)
  })

  test('leave the queue when their client goes', async (t) => {
    const { held, letGo, ask, waitFor, upstream } = await start(t)
    const first = await ask('/0')
    await until('the first', () => held.length === 1)
    const second = await ask('/1')
    const third = await ask('/2')
    await waitFor(2)

    second.socket.destroy()
    await waitFor(1)
    letGo()
    await first.answer()
    await until('the third', () => held.length === 1)
    letGo()

    await third.answer()
    assert.deepEqual(upstream.requests.map(targetOf), ['/0', '/2'])
  })

  test('go to the replica that has room, past the busy one', async (t) => {
    const busy = await startHolding(t)
    const other = await startUpstream(t)
    const service = serviceOf([busy.upstream.port, other.port], { inFlightMax: 1 })
    const door = await startTimedDoor(t, planOf(service))
    const blocked = await door.client()
    blocked.send(get('/0') + get('/0'))
    await until('a request', () => busy.held.length + other.requests.length > 0)
    if (busy.held.length === 0) await until('the busy one', () => busy.held.length === 1)

    const client = await door.client()
    for (let round = 0; round < 10; round++) {
      client.send(get('/1'))
      assert.equal(statusOf(await client.answer()), 200)
    }

    assert.equal(busy.upstream.requests.length, 1)
  })
})

describe('requests that come before any replica is there', () => {
  const none = (given: Partial<ServicePlan> = {}) => serviceOf([], { expected: 1, ...given })

  test('wait while some are expected, and are served when one comes', async (t) => {
    const upstream = await startUpstream(t)
    const door = await startTimedDoor(t, planOf(none()))
    const clients = await Promise.all(Array.from({ length: 5 }, () => door.client()))
    for (const client of clients) client.send(get('/'))
    await untilWaiting(door, 5)

    await door.engine.apply(planOf(serviceOf([upstream.port])))

    for (const client of clients) assert.equal(statusOf(await client.answer()), 200)
    assert.equal((await door.service()).waitedTotal, 5)
  })

  test('are refused at once when none is expected', async (t) => {
    const door = await startTimedDoor(t, planOf(none({ expected: 0 })))
    const client = await door.client()

    client.send(get('/') + get('/'))

    for (let round = 0; round < 2; round++) {
      const answer = await client.answer()
      assert.equal(statusOf(answer), 503)
      assert.equal(codeOf(answer), 'NO_REPLICA')
      assert.match(header(answer, 'retry-after') ?? '', /^\d+$/)
    }
  })

  test('are refused when the last that was expected will not come', async (t) => {
    const door = await startTimedDoor(t, planOf(none()))
    const client = await door.client()
    client.send(get('/') + get('/'))
    await untilWaiting(door, 1)

    await door.engine.apply(planOf(none({ expected: 0 })))

    for (let round = 0; round < 2; round++)
      assert.equal(codeOf(await client.answer()), 'NO_REPLICA')
  })

  test('are refused when their service is taken away', async (t) => {
    const door = await startTimedDoor(t, planOf(none()))
    const client = await door.client()
    client.send(get('/'))
    await untilWaiting(door, 1)

    await door.engine.apply({ ...planOf(none()), services: [] })
    await door.clock.advance(10_000)

    assert.equal(statusOf(await client.answer()), 503)
  })

  test('wait when the only replica drains and another is expected', async (t) => {
    const upstream = await startUpstream(t)
    const draining = replicaOf(1, { draining: true })
    const door = await startTimedDoor(
      t,
      planOf(serviceOf([], { replicas: [draining], expected: 1 })),
    )
    const client = await door.client()
    client.send(get('/'))
    await untilWaiting(door, 1)

    await door.engine.apply(planOf(serviceOf([upstream.port])))

    assert.equal(statusOf(await client.answer()), 200)
  })
})
