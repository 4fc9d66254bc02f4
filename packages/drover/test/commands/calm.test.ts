import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCalm } from '../../src/commands/calm.ts'

const died = (atMs: number) =>
  ({
    id: 1,
    atMs,
    level: 'warning',
    kind: 'supervisor.replica.died',
    service: 'web',
    message: 'died',
  }) as const
const loops = (atMs: number, service = 'web') =>
  ({
    id: 1,
    atMs,
    level: 'warning',
    kind: 'supervisor.group.crash-loop',
    service,
    message: 'loops',
  }) as const

test('deaths are told one by one until they become a loop', () => {
  const calm = createCalm()

  assert.equal(calm(died(0)), 'died')
  assert.equal(calm(died(100)), 'died')
  assert.equal(calm(loops(101)), 'loops')
  assert.equal(calm(died(200)), undefined)
  assert.equal(calm(loops(201)), undefined)
})

test('a loop is told again after ten seconds, with the deaths meanwhile', () => {
  const calm = createCalm()
  calm(loops(0))
  for (const atMs of [1_000, 5_000, 9_000]) calm(died(atMs))

  assert.equal(calm(died(10_500)), undefined)
  assert.equal(calm(loops(10_501)), 'loops\n    4 deaths since this was last told')
  assert.equal(calm(loops(10_600)), undefined)
})

test('another service and other events are told as ever', () => {
  const calm = createCalm()
  calm(loops(0))

  assert.equal(calm(loops(1, 'api')), 'loops')
  assert.equal(calm({ ...died(2), kind: 'balancer.replica.ready', message: 'ready' }), 'ready')
})

test('a service that is over its loop is told of as ever', () => {
  const calm = createCalm()
  calm(loops(0))
  calm(died(100_000))

  assert.equal(calm(died(219_000)), undefined)
  assert.equal(calm(died(400_000)), 'died')
})
