import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock, seededRandom } from '@drover/kernel'
import { HealthCheck } from '../src/health-check.ts'
import { defaultCheck, defaultEjection } from '../src/options.ts'
import type { ProbeResult } from '../src/probe.ts'
import { ReplicaHealth } from '../src/replica-health.ts'

const well: ProbeResult = { kind: 'passed', tookMs: 1 }
const closed: ProbeResult = { kind: 'failed', reason: 'refused', closed: true }

function createCheck(given: Partial<typeof defaultCheck> = {}) {
  const clock = createManualClock()
  const check = { ...defaultCheck, intervalMs: 2_000, startIntervalMs: 20, ...given }
  const health = new ReplicaHealth(
    'web/1',
    { ...check, ejection: defaultEjection },
    {
      clock,
      mayEject: () => true,
      rampMs: () => 0,
      onTransition: () => {},
      onUnfit: () => {},
    },
  )
  const atMs: number[] = []
  const answer = { now: closed as ProbeResult }
  const loop = new HealthCheck(check, {
    target: { host: '127.0.0.1', port: 1 },
    health,
    probe: async () => {
      atMs.push(clock.monotonic())
      return answer.now
    },
    clock,
    random: { ...seededRandom(1), next: () => 0.5 },
  })
  return { clock, health, loop, atMs, answer, check }
}

test('the first check comes at once, the next ones soon, then ever later', async () => {
  const { clock, loop, atMs } = createCheck()

  loop.now()
  await clock.advance(60_000)

  const waits = atMs.slice(1).map((at, index) => at - (atMs[index] ?? 0))
  assert.equal(atMs[0], 0)
  assert.deepEqual(waits.slice(0, 3).map(Math.round), [20, 24, 29])
  assert.equal(Math.round(waits.at(-1) ?? 0), 2_000)
})

test('a replica that is well is checked at the interval', async () => {
  const { clock, loop, atMs, answer } = createCheck()
  answer.now = well

  loop.now()
  await clock.advance(6_100)

  assert.deepEqual(atMs.map(Math.round), [0, 2_000, 4_000, 6_000])
})

test('a suspect is checked four times as often', async () => {
  const { clock, loop, atMs, answer, health } = createCheck()
  answer.now = well
  loop.now()
  await clock.advance(0)
  health.requestFailed('reset', false)
  health.requestFailed('reset', false)
  atMs.length = 0

  loop.now()
  await clock.advance(1_000)

  assert.deepEqual(atMs.map(Math.round), [0, 500, 1_000])
})

test('waits differ by up to 10 % either way', async () => {
  const random = seededRandom(5)
  const { clock, health, check } = createCheck()
  const atMs: number[] = []
  const loop = new HealthCheck(check, {
    target: { host: '127.0.0.1', port: 1 },
    health,
    probe: async () => {
      atMs.push(clock.monotonic())
      return well
    },
    clock,
    random,
  })

  loop.now()
  await clock.advance(60_000)

  const waits = atMs.slice(1).map((at, index) => at - (atMs[index] ?? 0))
  assert.ok(waits.every((wait) => wait >= 1_800 && wait <= 2_200))
  assert.ok(new Set(waits).size > 5)
})

test('a check that is asked for while one is under way is that one', async () => {
  const { clock, loop, atMs } = createCheck()

  loop.now()
  loop.now()
  await clock.advance(0)

  assert.equal(atMs.length, 1)
})

test('a stopped loop checks no more and leaves no timer', async () => {
  const { clock, loop, atMs } = createCheck()
  loop.now()
  await clock.advance(100)
  const before = atMs.length

  loop.stop()
  loop.now()
  await clock.advance(10_000)

  assert.equal(atMs.length, before)
  assert.equal(clock.pending, 0)
})
