import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '@drover/kernel'
import { callbackDefaults } from '../../src/callbacks/options.ts'
import { Receivers } from '../../src/callbacks/receivers.ts'

test('a receiver that keeps failing rests, longer each time, until it is back', async () => {
  const clock = createManualClock()
  const receivers = new Receivers(clock, callbackDefaults)
  const fail = () => {
    assert.equal(receivers.enter('a'), 0)
    receivers.leave('a', 'failed', 1)
  }

  for (let failure = 0; failure < 5; failure++) fail()
  const first = receivers.enter('a')
  await clock.advance(first)
  fail()
  const second = receivers.enter('a')
  await clock.advance(second)
  assert.equal(receivers.enter('a'), 0)
  receivers.leave('a', 'answered', 1)

  assert.deepEqual([first, second, receivers.enter('a')], [10_000, 20_000, 0])
  assert.equal(receivers.enter('b'), 0)
})

test('after its rest one call tells whether a receiver is back', async () => {
  const clock = createManualClock()
  const receivers = new Receivers(clock, callbackDefaults)
  for (let failure = 0; failure < 5; failure++) {
    receivers.enter('a')
    receivers.leave('a', 'failed', 1)
  }

  await clock.advance(callbackDefaults.restFirstMs)

  assert.equal(receivers.enter('a'), 0)
  assert.ok(receivers.enter('a') > 0)
})

test('a slow receiver has so many calls at one time, and the others come one by one', () => {
  const clock = createManualClock()
  const options = { ...callbackDefaults, receiverConcurrency: 2 }
  const receivers = new Receivers(clock, options)
  receivers.enter('a')
  receivers.leave('a', 'answered', 1_000)

  const waits = Array.from({ length: 5 }, () => receivers.enter('a'))

  assert.deepEqual(waits, [0, 0, 500, 1_000, 1_500])
  assert.equal(receivers.enter('b'), 0)
})

test('nobody is sent far away, however slow a receiver was and however many wait', async () => {
  const clock = createManualClock()
  const receivers = new Receivers(clock, { ...callbackDefaults, receiverConcurrency: 1 })
  receivers.enter('a')
  receivers.leave('a', 'answered', 15_000)
  receivers.enter('a')

  const waits = Array.from({ length: 1_000 }, () => receivers.enter('a'))

  assert.ok(Math.max(...waits) <= 5_000)
})
