import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createHaproxyEngine } from '../../src/engines/haproxy/haproxy-engine.ts'
import { policiesOf } from '../../src/engines/unsupported.ts'
import type { ServicePlan } from '../../src/plan.ts'
import { until } from '../until.ts'
import { ask, openRaw, startLoad } from './client.ts'
import { foreignSuite, processesWith } from './foreign-suite.ts'
import { planOf } from './plans.ts'
import { startTcpReplica } from './replica.ts'
import { plansOf, replicas, run, seen, spread } from './running.ts'
import { engineSuite } from './suite.ts'

const subject = {
  name: 'haproxy',
  create: () => createHaproxyEngine({ threads: 1 }),
  createWith: (program: string) => createHaproxyEngine({ program }),
  policies: policiesOf('haproxy'),
} as const

engineSuite(subject)
foreignSuite(subject)

describe('haproxy alone', () => {
  test('changes replicas and weights without a new worker', async (t) => {
    const list = await replicas(t, 'a', 'b', 'c')
    const [a, b, c] = plansOf(list)
    assert.ok(a && b && c)
    const { engine, port } = await run(t, subject, planOf([a]))
    const workers = async () => (await processesWith(`drover-haproxy-${process.pid}-`)).sort()
    const before = await workers()

    for (const next of [[a, b, c], [{ ...a, draining: true }, b, c], [b, { ...c, weight: 3 }], [a]])
      await engine.apply(planOf(next))

    assert.deepEqual(await workers(), before)
    assert.deepEqual(await spread(port, 5), { a: 5 })
  })

  test('makes room for more replicas than were prepared, and loses no request over it', async (t) => {
    const list = await replicas(t, ...Array.from({ length: 12 }, (_, index) => `r${index}`))
    const { engine, port } = await run(t, subject, planOf(plansOf(list.slice(0, 2))))
    const load = startLoad(port, 8)
    t.after(() => load.stop())

    await engine.apply(planOf(plansOf(list)))

    await until('all serve', () => list.every(({ count }) => count > 10))
    assert.deepEqual((await load.stop()).failed, [])
  })

  test('keeps a client with its replica by a cookie, until that drains', async (t) => {
    const list = await replicas(t, 'a', 'b', 'c')
    const sticky = { cookie: 'seat', secret: '0123456789abcdef' }
    const { engine, port } = await run(t, subject, planOf(plansOf(list), { sticky }))
    const first = await ask(port, '/')
    const cookie = String(first.headers['set-cookie']).split(';')[0] ?? ''
    const { name } = JSON.parse(first.body)
    const who = async () => (await seen(port, '/', { headers: { cookie } })).name
    for (let round = 0; round < 6; round++) assert.equal(await who(), name)

    await engine.apply(
      planOf(
        plansOf(list).map((plan) => ({ ...plan, draining: plan.name === name })),
        { sticky },
      ),
    )

    assert.notEqual(await who(), name)
  })

  test('puts the path into an answer, escaped', async (t) => {
    const list = await replicas(t, 'a')
    const body = '{"message":"\'{path}\' is 100% gone"}'
    const answers = [{ status: 404, with: { status: 400, contentType: 'application/json', body } }]
    const { port } = await run(t, subject, planOf(plansOf(list), { answers }))

    const { status, body: text } = await ask(port, '/status/404?x')

    assert.equal(status, 400)
    assert.equal(JSON.parse(text).message, "'/status/404' is 100% gone")
  })

  test('lets requests wait for a busy replica', async (t) => {
    const [one] = await replicas(t, 'one')
    assert.ok(one)
    const { port } = await run(t, subject, planOf([one.plan], { inFlightMax: 1 }))
    const held = ask(port, '/hold')
    await until('the hold', () => one.held === 1)
    const waiting = seen(port, '/')

    one.release()

    assert.equal((await held).status, 200)
    assert.equal((await waiting).name, 'one')
  })

  test('bounds the load of a hashed replica', async (t) => {
    const list = await replicas(t, 'a', 'b', 'c')
    const policy = { name: 'ring', key: { from: 'path' }, options: { epsilon: 0.25 } } as const
    const { port } = await run(t, subject, planOf(plansOf(list), { policy }))
    const asked = Array.from({ length: 9 }, () => ask(port, '/hold'))

    await until('all are held', () => list.reduce((sum, { held }) => sum + held, 0) === 9)

    assert.ok(
      list.every(({ held }) => held <= 4),
      String(list.map(({ held }) => held)),
    )
    for (const replica of list) replica.release()
    await Promise.all(asked)
  })

  test('tells TCP replicas the client by PROXY protocol v2', async (t) => {
    const replica = await startTcpReplica('one')
    t.after(() => replica.stop())
    const tcp = { protocol: 'tcp', service: 'web', routes: [] } as const
    const plan = planOf([replica.plan], { sendProxyProtocol: true }, tcp)
    const { port } = await run(t, subject, plan)

    const raw = await openRaw(port, 'ping')

    await until('the echo', () => raw.text.endsWith('ping'))
    assert.ok(raw.text.startsWith('one\n\r\n\r\n\0\r\nQUIT\n!'))
    raw.socket.destroy()
  })

  const lacking: [string, Partial<ServicePlan>, RegExp][] = [
    [
      'the path in an answer by code',
      { answers: [{ code: '*', with: { status: 500, contentType: 'a/b', body: '{path}' } }] },
      /an answer by code that holds \{path\}, which the engine haproxy lacks; builtin has it/,
    ],
    ['answers that fail', { failureStatus: 500 }, /count as failed, .* haproxy lacks; builtin has/],
  ]
  for (const [what, service, message] of lacking)
    test(`refuses ${what}`, async () => {
      await assert.rejects(subject.create().start(planOf([], service)), {
        code: 'POLICY_UNSUPPORTED',
        message,
      })
    })
})
