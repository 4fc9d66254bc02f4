import assert from 'node:assert/strict'
import { test } from 'node:test'
import { narrateBalancer, narrateGroup } from '../src/narrate.ts'

const replica = {
  id: 'web/Server 2',
  group: 'web',
  name: 'Server 2',
  host: '127.0.0.1',
  port: 4002,
  state: 'gone',
  pid: 77,
  container: undefined,
  startedAtMs: 0,
  restarts: 0,
} as const

test('a death is a warning, a stop that was asked for a detail', () => {
  const reason = 'was killed by SIGKILL'

  const died = narrateGroup({ kind: 'gone', replica, expected: false, reason })
  const stopped = narrateGroup({ kind: 'gone', replica, expected: true, reason: 'scaled down' })

  assert.deepEqual(died, {
    level: 'warning',
    kind: 'supervisor.replica.died',
    service: 'web',
    replica: 'Server 2',
    message: 'web: Server 2 died: was killed by SIGKILL',
  })
  assert.equal(stopped.level, 'detail')
})

test('a crash loop says how often, why, and when the next try comes', () => {
  const loop = {
    kind: 'crash-loop',
    group: 'web',
    waitMs: 4_200,
    restarts: 3,
    reason: 'exited with code 1',
  } as const

  assert.equal(
    narrateGroup(loop).message,
    'web: a replica died 3 times in a row (exited with code 1); next try in 4 s',
  )
})

test('a replica that is out is told with the reason', () => {
  const transition = {
    atMs: 0,
    replica: 'web/Server 2',
    from: 'suspect',
    to: 'ejected',
    reason: '5 failed requests in a row',
  } as const

  const told = narrateBalancer({ kind: 'transition', service: 'web', transition }, () => 'Server 2')

  assert.equal(told.level, 'warning')
  assert.equal(told.kind, 'balancer.replica.ejected')
  assert.equal(told.message, 'web: Server 2 is out: 5 failed requests in a row')
})
