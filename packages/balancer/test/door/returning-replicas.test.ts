import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { turns, until } from '../until.ts'
import { statusOf } from './messages.ts'
import { planOf, replicaOf, serviceOf } from './plans.ts'
import { startTimedDoor } from './running-door.ts'
import { ok, startUpstream } from './upstream.ts'

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

describe('a replica that left the plan and comes back', () => {
  test('has its counts still, also while it is away', async (t) => {
    const upstream = await startUpstream(t)
    const door = await startTimedDoor(t, planOf(serviceOf([upstream.port])))
    const client = await door.client()
    client.send(get)
    await client.answer()

    await door.engine.apply(planOf(serviceOf([])))
    const away = await door.service()
    await door.engine.apply(planOf(serviceOf([upstream.port])))
    client.send(get)
    assert.equal(statusOf(await client.answer()), 200)
    const back = await door.service()

    const counts = [away, back].map(({ replicas }) => replicas.map((one) => one.requestsTotal))
    assert.deepEqual(counts, [[1], [2]])
  })

  test('has not drained while a request from before is under way', async (t) => {
    const waiting: (() => void)[] = []
    const upstream = await startUpstream(t, {
      answer(_, peer) {
        waiting.push(() => peer.send(ok('late')))
        return undefined
      },
    })
    const door = await startTimedDoor(t, planOf(serviceOf([upstream.port])))
    const client = await door.client()
    client.send(get)
    await until('the request', () => waiting.length === 1)

    await door.engine.apply(planOf(serviceOf([])))
    const draining = replicaOf(upstream.port, { draining: true })
    await door.engine.apply(planOf(serviceOf([], { replicas: [draining] })))
    await turns(10)
    assert.deepEqual(door.events, [])

    waiting.shift()?.()
    await until('the end of draining', () => door.events.length > 0)
    assert.deepEqual(door.events, [{ kind: 'drained', replica: `r${upstream.port}` }])
    await until('the answer', () => client.text.endsWith('late'))
  })

  test('at another port is another one', async (t) => {
    const [one, other] = await Promise.all([startUpstream(t), startUpstream(t)])
    const at = (port: number) => replicaOf(port, { id: 'same' })
    const door = await startTimedDoor(t, planOf(serviceOf([], { replicas: [at(one.port)] })))
    const client = await door.client()
    client.send(get)
    await client.answer()

    await door.engine.apply(planOf(serviceOf([])))
    await door.engine.apply(planOf(serviceOf([], { replicas: [at(other.port)] })))
    client.send(get)
    await client.answer()

    assert.deepEqual([one.requests.length, other.requests.length], [1, 1])
    const { replicas } = await door.service()
    assert.deepEqual(
      replicas.map(({ requestsTotal }) => requestsTotal),
      [1],
    )
  })
})
