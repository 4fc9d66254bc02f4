import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '@drover/kernel'
import { ReplicaHealth, type Transition } from '../src/replica-health.ts'

const open = { reason: 'status 500', closed: false }
const closed = { reason: 'connect ECONNREFUSED', closed: true }

function createHealth({ rise = 1, fall = 3, rampMs = 0, spare = true } = {}) {
  const clock = createManualClock(1_000_000)
  const transitions: Transition[] = []
  const unfit: string[] = []
  const ejection = { failuresMax: 5, baseMs: 1_000, mostMs: 60_000, shareMax: 0.5 }
  const health = new ReplicaHealth(
    'web/1',
    { rise, fall, intervalMs: 2_000, ejection },
    {
      clock,
      mayEject: () => spare,
      rampMs: () => rampMs,
      onTransition: (transition) => transitions.push(transition),
      onUnfit: (reason) => unfit.push(reason),
    },
  )
  const path = () => transitions.map(({ to }) => to).join(' ')
  return { clock, health, transitions, unfit, path }
}

function createReady(given: Parameters<typeof createHealth>[0] = {}) {
  const made = createHealth(given)
  made.health.checkPassed('1 ms')
  made.transitions.length = 0
  return made
}

function failRequests(health: ReplicaHealth, count: number): void {
  for (let failed = 0; failed < count; failed++) health.requestFailed('reset', false)
}

test('a new replica is ready after its first passed check', () => {
  const { health, transitions } = createHealth()
  assert.equal(health.available, false)

  health.checkFailed(closed)
  assert.equal(health.reason, 'nobody listens yet: connect ECONNREFUSED')
  health.checkPassed('3 ms')

  assert.equal(health.available, true)
  assert.deepEqual(transitions, [
    {
      atMs: 1_000_000,
      replica: 'web/1',
      from: 'starting',
      to: 'ready',
      reason: '1 check passed, the last in 3 ms',
    },
  ])
})

test('with rise 3 it takes three checks in a row', () => {
  const { health, path } = createHealth({ rise: 3 })

  for (const passed of [true, true, false, true, true]) {
    if (passed) health.checkPassed('1 ms')
    else health.checkFailed(open)
  }
  assert.equal(path(), 'checking')
  health.checkPassed('1 ms')

  assert.equal(path(), 'checking ready')
})

test('a replica that answers with failures, or says that it is ready, is checked further', () => {
  const answering = createHealth()
  answering.health.checkFailed(open)
  assert.equal(answering.path(), 'checking')

  const saying = createHealth()
  saying.health.saidReady()
  assert.equal(saying.path(), 'checking')
  assert.equal(saying.health.available, false)
})

test('failed checks make it suspect, then ejected, and unfit each fall checks', () => {
  const { health, path, unfit, transitions } = createReady()

  for (let failed = 0; failed < 7; failed++) health.checkFailed(open)

  assert.equal(path(), 'suspect ejected')
  assert.equal(transitions[1]?.reason, '3 checks failed in a row: status 500')
  assert.equal(unfit.length, 2)
})

test('a suspect gets requests, and is cleared by a passed check', () => {
  const { health, path } = createReady()

  health.checkFailed(open)
  assert.equal(health.available, true)
  health.checkPassed('1 ms')

  assert.equal(path(), 'suspect ready')
})

test('a closed port ejects at once, and a passed check brings it back', () => {
  const { health, path, unfit } = createReady()

  health.checkFailed(closed)
  assert.equal(health.listening, false)
  health.checkPassed('1 ms')

  assert.equal(path(), 'suspect ejected ready')
  assert.deepEqual(unfit, [])
})

test('a refused connection makes it suspect at once, another failure only the second time', () => {
  const refused = createReady()
  refused.health.requestFailed('connect ECONNREFUSED', true)
  assert.equal(refused.path(), 'suspect')

  const reset = createReady()
  failRequests(reset.health, 1)
  assert.equal(reset.path(), '')
  failRequests(reset.health, 1)
  assert.equal(reset.path(), 'suspect')
})

test('an answered request ends a row of failures', () => {
  const { health, path } = createReady()

  for (let round = 0; round < 10; round++) {
    failRequests(health, 1)
    health.requestAnswered()
  }

  assert.equal(path(), '')
})

test('a suspect whose requests failed lately is not cleared by a check alone', async () => {
  const { clock, health, path } = createReady()
  failRequests(health, 2)

  health.checkPassed('1 ms')
  assert.equal(path(), 'suspect')
  await clock.advance(2_000)
  health.checkPassed('1 ms')

  assert.equal(path(), 'suspect ready')
})

test('failed requests eject for a time that grows with each time in a row', async () => {
  const { clock, health, transitions } = createReady()
  const reasons: string[] = []

  for (const outMs of [1_000, 2_000, 3_000]) {
    failRequests(health, 5)
    reasons.push(transitions.at(-1)?.reason ?? '')
    await clock.advance(outMs - 1)
    health.checkPassed('1 ms')
    assert.equal(health.state, 'ejected')
    await clock.advance(1)
    health.checkPassed('1 ms')
    assert.equal(health.state, 'ready')
  }

  assert.deepEqual(reasons, [
    '5 requests failed in a row: reset; out for 1000 ms (1 in a row)',
    '5 requests failed in a row: reset; out for 2000 ms (2 in a row)',
    '5 requests failed in a row: reset; out for 3000 ms (3 in a row)',
  ])
})

test('failed requests eject nobody whom the service cannot spare', () => {
  const { health } = createReady({ spare: false })

  failRequests(health, 50)

  assert.equal(health.state, 'suspect')
})

test('slow start grows the share, and a short suspicion does not begin it anew', async () => {
  const { clock, health, path } = createHealth({ rampMs: 10_000 })
  health.checkPassed('1 ms')
  assert.equal(health.rampedShare, 0)

  await clock.advance(4_000)
  health.checkFailed(open)
  health.checkPassed('1 ms')
  assert.equal(health.rampedShare, 0.4)
  await clock.advance(6_000)
  health.settle()

  assert.equal(path(), 'slow-start suspect slow-start ready')
})

test('draining ends checks and comes back by resume only', () => {
  const { health, path } = createReady()

  health.drain('asked')
  health.checkPassed('1 ms')
  health.checkFailed(closed)
  failRequests(health, 9)
  assert.equal(path(), 'draining')
  health.resume('asked')
  health.checkPassed('1 ms')

  assert.equal(path(), 'draining checking ready')
})

test('stopped is final', () => {
  const { health, path } = createReady()

  health.stop('exit code 1')
  health.drain('late')
  health.resume('late')
  health.checkPassed('late')
  health.saidReady()
  health.stop('late')

  assert.equal(path(), 'stopped')
})

test('the history keeps the last 20', () => {
  const { health } = createReady()

  for (let round = 0; round < 30; round++) {
    health.checkFailed(open)
    health.checkPassed('1 ms')
  }

  assert.equal(health.history.length, 20)
  assert.equal(health.history.at(-1)?.to, 'ready')
})
