import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../until.ts'
import { ask, openRaw, startLoad } from './client.ts'
import { listenerPlan, planOf, routeTo, webPlan } from './plans.ts'
import { type EngineSubject, plansOf, replicas, run, seen, spread } from './running.ts'

/** Plans that change while requests are under way. */
export function changingSuite(subject: EngineSubject): void {
  test('loses no request while replicas come, drain and go', async (t) => {
    const list = await replicas(t, 'a', 'b', 'c', 'd')
    const [a, b, c, d] = plansOf(list)
    assert.ok(a && b && c && d)
    const { engine, port } = await run(t, subject, planOf([a, b]))
    const load = startLoad(port, 16, subject.closesIdle)
    t.after(() => load.stop())
    const served = async (more: number) => {
      const from = load.ok
      await until('requests go on', () => load.ok >= from + more)
    }

    for (const next of [
      [a, b, c, d],
      [{ ...a, draining: true }, b, c, d],
      [b, c, d],
      [{ ...b, weight: 0.1 }, c, d],
      [{ ...b, draining: true }, { ...c, draining: true }, d],
      [d],
      [a, b, c, d],
      [a],
    ]) {
      await engine.apply(planOf(next))
      await served(100)
    }

    const { failed } = await load.stop()
    assert.deepEqual(failed, [])
    assert.ok(list.every(({ count }) => count > 50))
  })

  test('lets a draining replica end what it has, sends it nothing new, and tells when it is empty', async (t) => {
    const [one, two] = await replicas(t, 'one', 'two')
    assert.ok(one && two)
    const { engine, port, events } = await run(t, subject, planOf([one.plan]))
    const held = ask(port, '/hold')
    await until('the hold', () => one.held === 1)
    const isDrained = () => events.some(({ kind }) => kind === 'drained')

    await engine.apply(planOf([{ ...one.plan, draining: true }, two.plan]))
    assert.deepEqual(await spread(port, 10), { two: 10 })
    assert.equal(isDrained(), false)
    one.release()

    assert.equal((await held).status, 200)
    await until('it is told', isDrained)
    assert.deepEqual(
      events.filter(({ kind }) => kind === 'drained'),
      [{ kind: 'drained', replica: 'web/one' }],
    )
  })

  test('tells at once of a draining replica that is idle, also of one that it never had', async (t) => {
    const [one, two, three] = await replicas(t, 'one', 'two', 'three')
    assert.ok(one && two && three)
    const { engine, port, events } = await run(t, subject, planOf([one.plan, two.plan]))
    await spread(port, 4)

    await engine.apply(
      planOf([{ ...one.plan, draining: true }, two.plan, { ...three.plan, draining: true }]),
    )

    await until('both are told', () => {
      const drained = events.flatMap((event) => (event.kind === 'drained' ? [event.replica] : []))
      return drained.sort().join() === 'web/one,web/three'
    })
  })

  test('lets a replica that leaves the plan end what it has', async (t) => {
    const [one, two] = await replicas(t, 'one', 'two')
    assert.ok(one && two)
    const { engine, port } = await run(t, subject, planOf([one.plan]))
    const held = ask(port, '/hold')
    await until('the hold', () => one.held === 1)

    await engine.apply(planOf([two.plan]))
    assert.equal((await seen(port, '/')).name, 'two')
    one.release()

    assert.equal((await held).status, 200)
  })

  test('takes up listeners, routes and services without a lost request', async (t) => {
    const [one, two] = await replicas(t, 'one', 'two')
    assert.ok(one && two)
    const { engine, port } = await run(t, subject, planOf([one.plan]))
    const load = startLoad(port, 8, subject.closesIdle)
    t.after(() => load.stop())
    const more = {
      listeners: [listenerPlan(), listenerPlan({ name: 'second', routes: [routeTo('two')] })],
      services: [webPlan([one.plan]), { ...webPlan([two.plan]), name: 'two' }],
      trustedProxies: [],
    }

    await engine.apply(more)

    assert.equal((await seen(engine.ports().second ?? 0, '/')).name, 'two')
    assert.equal(engine.ports().front, port)
    await engine.apply(planOf([one.plan]))
    await assert.rejects(ask(engine.ports().second ?? 1, '/'))
    assert.deepEqual((await load.stop()).failed, [])
  })

  test('refuses a plan that it cannot carry out, and keeps the old one', async (t) => {
    const [one] = await replicas(t, 'one')
    assert.ok(one)
    const { engine, port } = await run(t, subject, planOf([one.plan]))
    const taken = one.plan.port
    const bad = {
      ...planOf([one.plan]),
      listeners: [listenerPlan(), listenerPlan({ name: 'second', port: taken })],
    }

    await assert.rejects(engine.apply(bad), { code: /PLAN_REFUSED|ENGINE_FAILED/ })

    assert.equal((await seen(port, '/')).name, 'one')
    await engine.apply(planOf([one.plan], { inFlightMax: 10 }))
    assert.equal((await seen(port, '/')).name, 'one')
  })

  test('stops: lets requests end, then closes its ports', async (t) => {
    const [one] = await replicas(t, 'one')
    assert.ok(one)
    const { engine, port } = await run(t, subject, planOf([one.plan]))
    const held = ask(port, '/hold')
    await until('the hold', () => one.held === 1)

    const stopped = engine.stop(5_000)
    await until('the port is closed', async () => {
      const raw = await openRaw(port, '').catch(() => undefined)
      raw?.socket.destroy()
      return raw === undefined
    })
    one.release()

    assert.equal((await held).status, 200)
    await stopped
  })
}
