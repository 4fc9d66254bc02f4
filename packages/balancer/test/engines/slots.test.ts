import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { slotCommands } from '../../src/engines/haproxy/slot-commands.ts'
import { assignSlots, type Backend } from '../../src/engines/haproxy/slots.ts'
import type { ReplicaPlan } from '../../src/plan.ts'
import { planOf } from './plans.ts'

const replica = (number: number, given: Partial<ReplicaPlan> = {}): ReplicaPlan => ({
  id: `web/${number}`,
  name: `${number}`,
  host: '127.0.0.1',
  port: 4_000 + number,
  weight: 1,
  draining: false,
  ...given,
})
const assign = (replicas: readonly ReplicaPlan[], before: readonly Backend[] = []) =>
  assignSlots(planOf(replicas), before)
const whoIn = ([backend]: readonly Backend[]) => backend?.slots.map(({ replica: id }) => id) ?? []
const texts = (before: readonly Backend[], after: readonly Backend[]) =>
  slotCommands(before, after)?.map(({ text }) => text)

describe('slots', () => {
  test('are prepared for twice as many replicas', () => {
    assert.equal(whoIn(assign([replica(1)])).length, 8)
    assert.equal(whoIn(assign(Array.from({ length: 9 }, (_, index) => replica(index)))).length, 32)
  })

  test('stay with their replicas, whoever comes and goes', () => {
    const step = fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 20 })
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), (steps) => {
        let backends: readonly Backend[] = []
        for (const numbers of steps) {
          const before = whoIn(backends)
          backends = assign(
            numbers.map((number) => replica(number)),
            backends,
          )
          const after = whoIn(backends)

          assert.deepEqual(
            after.filter((id) => id !== undefined).sort(),
            numbers.map((number) => `web/${number}`).sort(),
          )
          for (const number of numbers) {
            const id = `web/${number}`
            if (before.includes(id)) assert.equal(after.indexOf(id), before.indexOf(id))
          }
          assert.ok(after.length >= before.length)
        }
      }),
    )
  })

  test('that were never used are taken before those that were', () => {
    const first = assign([replica(1), replica(2)])
    const second = assign([replica(2)], first)

    assert.deepEqual(whoIn(assign([replica(2), replica(3)], second)).slice(0, 3), [
      undefined,
      'web/2',
      'web/3',
    ])
  })
})

describe('the commands for a change', () => {
  test('bring a replica in: address, weight, then ready', () => {
    const before = assign([replica(1)])

    const commands = texts(before, assign([replica(1), replica(2, { weight: 3 })], before))

    assert.deepEqual(commands, [
      'set server http_web/s2 addr 127.0.0.1 port 4002',
      'set server http_web/s2 weight 3',
      'set server http_web/s2 state ready',
    ])
  })

  test('take out who drains or leaves', () => {
    const before = assign([replica(1), replica(2)])

    const commands = texts(before, assign([replica(1, { draining: true })], before))

    assert.deepEqual(commands, [
      'set server http_web/s1 state maint',
      'set server http_web/s2 state maint',
    ])
  })

  test('are none where nothing changes', () => {
    const before = assign([replica(1)])

    assert.deepEqual(texts(before, assign([replica(1)], before)), [])
  })

  test('cannot name a host, only an address', () => {
    const before = assign([])

    assert.equal(texts(before, assign([replica(1, { host: 'web.test' })], before)), undefined)
  })
})
