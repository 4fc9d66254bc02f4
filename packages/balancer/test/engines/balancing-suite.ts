import assert from 'node:assert/strict'
import { test } from 'node:test'
import { policyNames } from '../../src/plan.ts'
import { until } from '../until.ts'
import { ask } from './client.ts'
import { planOf } from './plans.ts'
import { startReplica } from './replica.ts'
import { type EngineSubject, plansOf, replicas, run, seen, spread } from './running.ts'

/** How requests are spread. */
export function balancingSuite(subject: EngineSubject): void {
  test('keeps to the weights', async (t) => {
    const list = await Promise.all([startReplica('a', 8), startReplica('b'), startReplica('c')])
    t.after(() => Promise.all(list.map((replica) => replica.stop())))
    const policy = { name: 'weighted', key: { from: 'client' }, options: {} } as const
    const { port } = await run(t, subject, planOf(plansOf(list), { policy }))

    assert.deepEqual(await spread(port, 100), { a: 80, b: 10, c: 10 })
  })

  test('takes turns, and goes on evenly with one of three gone', async (t) => {
    const list = await replicas(t, 'a', 'b', 'c')
    const { engine, port } = await run(t, subject, planOf(plansOf(list)))
    assert.deepEqual(await spread(port, 30), { a: 10, b: 10, c: 10 })

    await engine.apply(planOf(plansOf(list.slice(1))))

    assert.deepEqual(await spread(port, 30), { b: 15, c: 15 })
  })

  for (const name of policyNames) {
    const policy = { name, key: { from: 'query', name: 'user' }, options: { epsilon: 0 } } as const
    const plain = { ...policy, options: {} }
    const asked = name === 'ring' ? policy : plain

    if (subject.policies.includes(name))
      test(`has the policy ${name}`, async (t) => {
        const list = await replicas(t, 'a', 'b', 'c')
        const { port } = await run(t, subject, planOf(plansOf(list), { policy: asked }))

        const names = new Set<string>()
        for (let user = 0; user < 60; user++) names.add((await seen(port, `/?user=${user}`)).name)

        assert.deepEqual([...names].sort(), ['a', 'b', 'c'])
      })
    else
      test(`refuses the policy ${name}, and names who has it`, async (t) => {
        const [one] = await replicas(t, 'a')
        assert.ok(one)

        await assert.rejects(run(t, subject, planOf([one.plan], { policy: asked })), {
          code: 'POLICY_UNSUPPORTED',
          message: new RegExp(
            `policy ${name}, which the engine ${subject.name} lacks; builtin has`,
          ),
        })
      })
  }

  test('hashes equal keys to the same replica, and moves few when one leaves', async (t) => {
    const list = await replicas(t, 'a', 'b', 'c')
    const key = { from: 'header', name: 'x-user' } as const
    const policy = { name: 'ring', key, options: { epsilon: 0 } } as const
    const { engine, port } = await run(t, subject, planOf(plansOf(list), { policy }))
    const users = Array.from({ length: 40 }, (_, index) => `user ${index}`)
    const owners = async () => {
      const names: string[] = []
      for (const user of users)
        names.push((await seen(port, '/', { headers: { 'x-user': user } })).name)
      return names
    }
    const before = await owners()
    assert.deepEqual(await owners(), before)

    await engine.apply(planOf(plansOf(list.slice(0, 2)), { policy }))

    const after = await owners()
    const moved = users.filter(
      (_, index) => before[index] !== 'c' && before[index] !== after[index],
    )
    assert.deepEqual(moved, [])
  })

  test('passes over a replica that has as many requests as it may', async (t) => {
    const [one, two] = await replicas(t, 'one', 'two')
    assert.ok(one && two)
    const { port } = await run(t, subject, planOf([one.plan, two.plan], { inFlightMax: 1 }))
    const held = ask(port, '/hold')
    await until('the hold', () => one.held + two.held === 1)
    const free = one.held === 1 ? 'two' : 'one'

    assert.deepEqual(await spread(port, 10), { [free]: 10 })

    one.release()
    two.release()
    assert.equal((await held).status, 200)
  })
}
