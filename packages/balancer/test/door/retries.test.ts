import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { RetryPlan } from '../../src/plan.ts'
import { until } from '../until.ts'
import { statusOf } from './messages.ts'
import { planOf, serviceOf } from './plans.ts'
import { startDoor, startTimedDoor } from './running-door.ts'
import { ok, startUpstream, type Upstream } from './upstream.ts'

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const generous: RetryPlan = { attemptsMax: 10, budgetShare: 1, budgetPerSecond: 100 }

function post(lines = ''): string {
  return `POST / HTTP/1.1\r\nHost: a\r\n${lines}Content-Length: 4\r\n\r\nabcd`
}

/** A replica that dies on every request before it answers. */
function startDying(t: TestContext): Promise<Upstream> {
  return startUpstream(t, {
    answer(_, peer) {
      peer.socket.destroy()
      return undefined
    },
  })
}

/** A port on which nobody listens. */
async function closedPort(t: TestContext): Promise<number> {
  const upstream = await startUpstream(t)
  await upstream.close()
  return upstream.port
}

describe('a replica that refuses connections', () => {
  test('costs no request, of any method, and the one refused is not asked again', async (t) => {
    const closed = await closedPort(t)
    const upstream = await startUpstream(t)
    const door = await startDoor(t, planOf(serviceOf([closed, upstream.port])))
    const client = await door.client()

    for (let round = 0; round < 10; round++) {
      client.send(round % 2 === 0 ? get : post())
      assert.equal(statusOf(await client.answer()), 200)
    }

    assert.equal(upstream.requests.length, 10)
    const refused = door.events.filter(({ kind }) => kind === 'failed')
    assert.ok(refused.length >= 5)
    for (const event of refused) {
      assert.equal(event.kind === 'failed' && event.replica, `r${closed}`)
      assert.equal(event.kind === 'failed' && event.refused, true)
    }
  })

  test('is tried once by a request when all of them refuse', async (t) => {
    const ports = [await closedPort(t), await closedPort(t), await closedPort(t)]
    const plan = planOf(
      serviceOf(ports, { queue: { sizeMax: 10, waitMs: 0, order: 'oldest-first' } }),
    )
    const door = await startDoor(t, plan)
    const client = await door.client()

    client.send(get)

    assert.equal(statusOf(await client.answer()), 502)
    const asked = door.events.map((event) => event.kind === 'failed' && event.replica)
    assert.deepEqual(asked.toSorted(), ports.map((port) => `r${port}`).toSorted())
  })

  test('takes a large body with it to the next one', async (t) => {
    const closed = await closedPort(t)
    const upstream = await startUpstream(t, { answer: ({ body }) => ok(`${body.length}`) })
    const door = await startDoor(t, planOf(serviceOf([closed, upstream.port])))

    for (let round = 0; round < 4; round++) {
      const client = await door.client()
      const body = Buffer.alloc(1_000_000, round)
      client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`)
      client.send(body)
      assert.equal((await client.answer()).body.toString(), '1000000')
      assert.ok(upstream.requests.at(-1)?.body.equals(body))
    }
  })
})

describe('a replica that dies before its answer', () => {
  async function tryIt(t: TestContext, request: string, retry: RetryPlan = generous) {
    const dying = await startDying(t)
    const upstream = await startUpstream(t)
    const plan = planOf(serviceOf([dying.port, upstream.port], { retry }))
    const door = await startDoor(t, plan)
    const statuses: number[] = []
    for (let round = 0; round < 6; round++) {
      const client = await door.client()
      client.send(request)
      statuses.push(statusOf(await client.answer()))
    }
    return { statuses, dying, upstream, door }
  }

  test('costs no GET', async (t) => {
    const { statuses, dying, upstream } = await tryIt(t, get)

    assert.deepEqual(statuses, [200, 200, 200, 200, 200, 200])
    assert.ok(dying.requests.length >= 3)
    assert.equal(upstream.requests.length, 6)
  })

  test('costs no POST with an Idempotency-Key', async (t) => {
    const { statuses, upstream } = await tryIt(t, post('Idempotency-Key: 1\r\n'))

    assert.deepEqual(statuses, [200, 200, 200, 200, 200, 200])
    for (const { body } of upstream.requests) assert.equal(body.toString(), 'abcd')
  })

  test('costs a POST: it may have acted on it', async (t) => {
    const { statuses, dying, upstream } = await tryIt(t, post())

    assert.deepEqual(statuses.toSorted(), [200, 200, 200, 502, 502, 502])
    assert.equal(dying.requests.length, 3)
    assert.equal(upstream.requests.length, 3)
  })

  test('costs a POST with an empty Idempotency-Key', async (t) => {
    const { statuses } = await tryIt(t, post('Idempotency-Key:\r\n'))

    assert.ok(statuses.includes(502))
  })

  test('costs a GET when one attempt is all there may be', async (t) => {
    const { statuses } = await tryIt(t, get, { ...generous, attemptsMax: 1 })

    assert.deepEqual(statuses.toSorted(), [200, 200, 200, 502, 502, 502])
  })

  test('costs a GET when the budget is used up', async (t) => {
    const { statuses, dying, door } = await tryIt(t, get, {
      attemptsMax: 3,
      budgetShare: 0,
      budgetPerSecond: 0.1,
    })

    const lost = statuses.filter((status) => status === 502).length
    assert.ok(lost > 0)
    assert.equal(lost, dying.requests.length - 1)
    const { retriesTotal, retriesDeniedTotal } = await door.service()
    assert.deepEqual([retriesTotal, retriesDeniedTotal], [1, lost])
  })

  test('costs a GET whose body was too long to be kept', async (t) => {
    const length = 200_000
    const head = `PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`
    const { statuses } = await tryIt(t, head + 'x'.repeat(length))

    assert.deepEqual(statuses.toSorted(), [200, 200, 200, 502, 502, 502])
  })

  test('costs no chunked PUT: its body is sent again as it was', async (t) => {
    const { statuses, upstream } = await tryIt(
      t,
      'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n2\r\ncd\r\n0\r\nX: 1\r\n\r\n',
    )

    assert.deepEqual(statuses, [200, 200, 200, 200, 200, 200])
    for (const { body, trailers } of upstream.requests) {
      assert.equal(body.toString(), 'abcd')
      assert.deepEqual(trailers, [['x', '1']])
    }
  })

  test('is answered for with 502 when all of them die', async (t) => {
    const dying = [await startDying(t), await startDying(t), await startDying(t)]
    const ports = dying.map(({ port }) => port)
    const queue = { sizeMax: 10, waitMs: 0, order: 'oldest-first' } as const
    const door = await startDoor(t, planOf(serviceOf(ports, { retry: generous, queue })))
    const client = await door.client()

    client.send(get)

    assert.equal(statusOf(await client.answer()), 502)
    assert.deepEqual(
      dying.map(({ requests }) => requests.length),
      [1, 1, 1],
    )
  })
})

describe('a connection that the replica closed while it was idle', () => {
  test('costs no GET, told or not, noticed or not', async (t) => {
    const upstream = await startUpstream(t)
    const door = await startDoor(t, planOf(serviceOf([upstream.port])))
    const client = await door.client()

    for (let round = 0; round < 50; round++) {
      client.send(get)
      assert.equal(statusOf(await client.answer()), 200)
      upstream.connections.at(-1)?.socket[round % 2 === 0 ? 'end' : 'resetAndDestroy']()
    }

    assert.deepEqual(
      door.events.filter(({ kind }) => kind === 'failed'),
      [],
    )
  })

  test('costs no GET when it dies with the request in its hands', async (t) => {
    let answered = 0
    const upstream = await startUpstream(t, {
      answer(request, peer) {
        const first = upstream.requests.filter(
          ({ connection }) => connection === request.connection,
        )
        if (first.length > 1) {
          peer.socket.resetAndDestroy()
          return undefined
        }
        answered++
        return ok()
      },
    })
    const retry = { attemptsMax: 1, budgetShare: 0, budgetPerSecond: 0 }
    const door = await startDoor(t, planOf(serviceOf([upstream.port], { retry })))
    const client = await door.client()

    for (let round = 0; round < 20; round++) {
      client.send(get)
      assert.equal(statusOf(await client.answer()), 200)
    }

    assert.equal(answered, 20)
  })

  test('is closed by the door before the time that the replica tells', async (t) => {
    const upstream = await startUpstream(t, { answer: () => ok('ok', 'Keep-Alive: timeout=4\r\n') })
    const door = await startTimedDoor(t, planOf(serviceOf([upstream.port])))
    const client = await door.client()
    client.send(get)
    await client.answer()

    await door.clock.advance(2_500)
    assert.equal(upstream.connections[0]?.ended, false)
    await door.clock.advance(1_000)

    await until('the close', () => upstream.connections[0]?.ended)
  })

  test('is closed by the door after its own time when the replica tells none', async (t) => {
    const upstream = await startUpstream(t)
    const timeouts = { connectMs: 2_000, firstByteMs: 0, responseMs: 0, keepAliveMs: 10_000 }
    const door = await startTimedDoor(t, planOf(serviceOf([upstream.port], { timeouts })))
    const client = await door.client()
    client.send(get)
    await client.answer()

    await door.clock.advance(9_900)
    assert.equal(upstream.connections[0]?.ended, false)
    await door.clock.advance(1_000)

    await until('the close', () => upstream.connections[0]?.ended)
  })

  test('is not kept at all when the replica keeps none', async (t) => {
    const upstream = await startUpstream(t, { answer: () => ok('ok', 'Keep-Alive: timeout=0\r\n') })
    const door = await startDoor(t, planOf(serviceOf([upstream.port])))
    const client = await door.client()

    for (let round = 0; round < 3; round++) {
      client.send(post())
      assert.equal(statusOf(await client.answer()), 200)
    }
    assert.equal(upstream.connections.length, 3)
  })

  test('is not given to a POST once it was idle for a while', async (t) => {
    const upstream = await startUpstream(t)
    const door = await startTimedDoor(t, planOf(serviceOf([upstream.port])))
    const client = await door.client()
    client.send(post())
    await client.answer()
    await door.clock.advance(1_000)

    client.send(post())

    await client.answer()
    assert.deepEqual(
      upstream.requests.map(({ connection }) => connection),
      [0, 1],
    )
  })
})
