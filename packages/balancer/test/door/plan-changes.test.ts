import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { Plan } from '../../src/plan.ts'
import { turns, until } from '../until.ts'
import { statusOf, targetOf } from './messages.ts'
import { openClient } from './peer.ts'
import { listenerOf, planOf, replicaOf, serviceOf } from './plans.ts'
import { type RunningDoor, startDoor, startTimedDoor } from './running-door.ts'
import { ok, startUpstream } from './upstream.ts'

const get = (target = '/') => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`

/** Keeps `count` clients asking until it is stopped; then returns every status and failure. */
async function startLoad(t: TestContext, door: RunningDoor, count: number) {
  let stopped = false
  const statuses = new Map<string, number>()
  const note = (what: string) => statuses.set(what, (statuses.get(what) ?? 0) + 1)
  const run = async (index: number) => {
    let client = await openClient(t, door.port())
    while (!stopped) {
      const keeps = index % 2 === 0
      client.send(keeps ? get() : get().replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
      try {
        note(`${statusOf(await client.answer())}`)
      } catch (error) {
        note((error as Error).message)
      }
      if (!keeps) client = await openClient(t, door.port())
    }
  }
  const all = Promise.all(Array.from({ length: count }, (_, index) => run(index)))
  return {
    total: () => [...statuses.values()].reduce((sum, times) => sum + times, 0),
    async stop() {
      stopped = true
      await all
      return Object.fromEntries(statuses)
    },
  }
}

describe('a change of plan under load', () => {
  test('loses no request while replicas come, drain and go', async (t) => {
    const replicas = await Promise.all(Array.from({ length: 4 }, () => startUpstream(t)))
    const [a, b, c, d] = replicas.map(({ port }) => port) as [number, number, number, number]
    const door = await startDoor(t, planOf(serviceOf([a])))
    const load = await startLoad(t, door, 16)
    const sets = [[a, b], [a, b, c, d], [b, c], [d], [a, d], [a, b, c, d], [c]]

    for (let round = 0; round < 21; round++) {
      const ports = sets[round % sets.length] ?? [a]
      const before = load.total()
      await door.engine.apply(planOf(serviceOf(ports)))
      await until('some requests', () => load.total() > before + 50)
    }
    const statuses = await load.stop()

    assert.deepEqual(Object.keys(statuses), ['200'])
    for (const { requests } of replicas) assert.ok(requests.length > 0)
  })

  test('loses no request while listeners, policies and services come and go', async (t) => {
    const upstream = await startUpstream(t)
    const service = serviceOf([upstream.port])
    const door = await startDoor(t, planOf(service))
    const load = await startLoad(t, door, 8)
    const other = listenerOf({ name: 'other' })
    const plans: Plan[] = [
      { listeners: [listenerOf(), other], services: [service], trustedProxies: [] },
      planOf({ ...service, policy: { ...service.policy, name: 'ring' } }),
      { ...planOf(service), services: [service, { ...service, name: 'more' }] },
      planOf({ ...service, inFlightMax: 3 }, listenerOf(), ['10.0.0.0/8']),
    ]

    for (let round = 0; round < 16; round++) {
      const before = load.total()
      await door.engine.apply(plans[round % plans.length] ?? planOf(service))
      await until('some requests', () => load.total() > before + 50)
    }

    assert.deepEqual(Object.keys(await load.stop()), ['200'])
  })

  test('loses no request when a replica drains while it answers slowly', async (t) => {
    const waiting: (() => void)[] = []
    const upstream = await startUpstream(t, {
      answer(_, peer) {
        waiting.push(() => peer.send(ok('late')))
        return undefined
      },
    })
    const door = await startTimedDoor(t, planOf(serviceOf([upstream.port])))
    const clients = await Promise.all([door.client(), door.client()])
    for (const client of clients) client.send(get())
    await until('both requests', () => waiting.length === 2)

    const draining = replicaOf(upstream.port, { draining: true })
    await door.engine.apply(planOf(serviceOf([], { replicas: [draining] })))
    assert.deepEqual(door.events, [])
    const third = await door.client()
    third.send(get())
    assert.equal(statusOf(await third.answer()), 503)

    waiting.shift()?.()
    await until('the first answer', () => clients.some(({ text }) => text.endsWith('late')))
    await turns(10)
    assert.deepEqual(door.events, [])
    waiting.shift()?.()
    for (const client of clients) await until('the answer', () => client.text.endsWith('late'))
    await until('the end of draining', () => door.events.length === 1)
    assert.deepEqual(door.events, [{ kind: 'drained', replica: `r${upstream.port}` }])
  })

  test('a replica that drains with nothing under way has drained at once', async (t) => {
    const upstream = await startUpstream(t)
    const door = await startTimedDoor(t, planOf(serviceOf([upstream.port])))
    const draining = serviceOf([], { replicas: [replicaOf(upstream.port, { draining: true })] })

    await door.engine.apply(planOf(draining))
    await door.engine.apply(planOf(draining))

    assert.deepEqual(door.events, [{ kind: 'drained', replica: `r${upstream.port}` }])
  })

  test('a replica that goes keeps what it has, and its idle connections are closed', async (t) => {
    const upstream = await startUpstream(t, {
      answer: (request) => (targetOf(request) === '/slow' ? undefined : ok()),
    })
    const door = await startTimedDoor(t, planOf(serviceOf([upstream.port])))
    const [slow, quick] = [await door.client(), await door.client()]
    slow.send(get('/slow'))
    await until('the slow one', () => upstream.requests.length === 1)
    quick.send(get())
    await quick.answer()

    await door.engine.apply(planOf(serviceOf([])))

    await until('the idle one to close', () => upstream.connections[1]?.ended)
    assert.equal(upstream.connections[0]?.ended, false)
    upstream.connections[0]?.send(ok('done'))
    assert.equal((await slow.answer()).body.toString(), 'done')
    await until('the other one to close', () => upstream.connections[0]?.ended)
  })

  test('a replica at another address under the same id gets new connections', async (t) => {
    const [one, two] = [
      await startUpstream(t, { answer: () => ok('one') }),
      await startUpstream(t, { answer: () => ok('two') }),
    ]
    const at = (port: number) =>
      planOf(serviceOf([], { replicas: [replicaOf(port, { id: 'same' })] }))
    const door = await startTimedDoor(t, at(one.port))
    const client = await door.client()
    client.send(get())
    assert.equal((await client.answer()).body.toString(), 'one')

    await door.engine.apply(at(two.port))

    client.send(get())
    assert.equal((await client.answer()).body.toString(), 'two')
  })
})

describe('a plan that cannot be used', () => {
  const bad: Readonly<Record<string, (good: Plan, taken: number) => Plan>> = {
    'an unknown option of a policy': (good) => ({
      ...good,
      services: good.services.map((service) => ({
        ...service,
        replicas: [],
        policy: { ...service.policy, name: 'ring', options: { slots: 1 } },
      })),
    }),
    'an address that is taken': (good, taken) => ({
      ...good,
      services: [serviceOf([])],
      listeners: [...good.listeners, listenerOf({ name: 'second', port: taken })],
    }),
    'a certificate that is none': (good) => ({
      ...good,
      services: [serviceOf([])],
      listeners: good.listeners.map((listener) => ({
        ...listener,
        tls: { certificates: [{ names: [], certificate: 'x', key: 'y' }], http2: true },
      })),
    }),
    'an access log that cannot be written': (good) => ({
      ...good,
      services: [serviceOf([])],
      accessLogFile: '/dev/null/log',
    }),
  }
  for (const [name, spoil] of Object.entries(bad))
    test(`is refused whole: ${name}`, async (t) => {
      const upstream = await startUpstream(t)
      const good = planOf(serviceOf([upstream.port]))
      const door = await startDoor(t, good)
      const client = await door.client()

      await assert.rejects(door.engine.apply(spoil(good, upstream.port)), { code: 'PLAN_REFUSED' })

      for (const one of [client, await door.client()]) {
        one.send(get())
        assert.equal(statusOf(await one.answer()), 200)
      }
      assert.deepEqual(Object.keys(door.engine.ports()), ['front'])
      await door.engine.apply(good)
    })
})

describe('listeners', () => {
  test('that come take connections, those that go end theirs behind the last answer', async (t) => {
    const upstream = await startUpstream(t, {
      answer: (request) => (targetOf(request) === '/slow' ? undefined : ok()),
    })
    const service = serviceOf([upstream.port])
    const both: Plan = {
      listeners: [listenerOf(), listenerOf({ name: 'second' })],
      services: [service],
      trustedProxies: [],
    }
    const door = await startTimedDoor(t, planOf(service))
    await door.engine.apply(both)
    const [busy, idle, begun] = [
      await door.client('second'),
      await door.client('second'),
      await door.client('second'),
    ]
    const gone = door.port('second')
    idle.send(get())
    assert.equal(statusOf(await idle.answer()), 200)
    busy.send(get('/slow'))
    begun.send('GET / HTTP/1.1\r\nHost')
    await until('the slow one', () => upstream.requests.length === 2)
    await turns(10)

    await door.engine.apply(planOf(service))

    await idle.untilEnded()
    begun.send(': a\r\n\r\n')
    assert.equal(statusOf(await begun.answer()), 200)
    await begun.untilEnded()
    upstream.connections.find(({ text }) => text.includes('/slow'))?.send(ok('slow'))
    assert.equal((await busy.answer()).body.toString(), 'slow')
    await busy.untilEnded()
    const late = await openClient(t, gone)
    await until('a refused connection', () => late.closed)
  })
})

describe('the end of a door', () => {
  test('waits for what is under way, and takes nothing new', async (t) => {
    const upstream = await startUpstream(t, { answer: () => undefined })
    const door = await startDoor(t, planOf(serviceOf([upstream.port])))
    const [busy, idle] = [await door.client(), await door.client()]
    busy.send(get())
    await until('the request', () => upstream.requests.length === 1)

    const stopped = door.engine.stop(10_000)
    await idle.untilEnded()
    upstream.connections[0]?.send(ok('the last'))

    assert.equal((await busy.answer()).body.toString(), 'the last')
    await stopped
    await busy.untilEnded()
    await until('the connection to the replica', () => upstream.connections[0]?.ended)
  })

  test('cuts what takes longer than it may', async (t) => {
    const upstream = await startUpstream(t, { answer: () => undefined })
    const door = await startDoor(t, planOf(serviceOf([upstream.port])))
    const client = await door.client()
    client.send(get())
    await until('the request', () => upstream.requests.length === 1)

    await door.engine.stop(50)

    await client.untilEnded()
    await until('the connection to the replica', () => upstream.connections[0]?.ended)
  })

  test('does not cut an answer that the client has still to read', async (t) => {
    const body = 'x'.repeat(60_000)
    const upstream = await startUpstream(t, { answer: () => ok(body.repeat(100)) })
    const door = await startDoor(t, planOf(serviceOf([upstream.port])))
    const client = await door.client()
    client.socket.pause()
    client.send(get())
    await until('an answer', () => (upstream.connections[0]?.socket.bytesWritten ?? 0) > 1_000_000)

    const stopped = door.engine.stop(10_000)
    client.socket.resume()

    assert.equal((await client.answer()).body.length, 6_000_000)
    await stopped
  })
})
