import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '@drover/kernel'
import { callbackDefaults } from '../../src/callbacks/options.ts'
import { Receivers } from '../../src/callbacks/receivers.ts'

const never = new AbortController().signal

test('a receiver that keeps failing rests, longer each time, until it is back', async () => {
  const clock = createManualClock()
  const receivers = new Receivers(clock, callbackDefaults)
  const fail = async () => {
    assert.equal(await receivers.enter('a', never), 0)
    receivers.leave('a', 'failed')
  }

  for (let failure = 0; failure < 5; failure++) await fail()
  const first = await receivers.enter('a', never)
  const closed = receivers.closed()
  await clock.advance(first)
  await fail()
  const second = await receivers.enter('a', never)
  await clock.advance(second)
  assert.equal(await receivers.enter('a', never), 0)
  receivers.leave('a', 'answered')

  assert.deepEqual([first, second, closed], [10_000, 20_000, ['a']])
  assert.deepEqual(receivers.closed(), [])
  assert.equal(await receivers.enter('a', never), 0)
})

test('after its rest one call tells whether a receiver is back, and the others hear of it', async () => {
  const clock = createManualClock()
  const receivers = new Receivers(clock, callbackDefaults)
  for (let failure = 0; failure < 5; failure++) {
    await receivers.enter('a', never)
    receivers.leave('a', 'failed')
  }

  await clock.advance(callbackDefaults.restFirstMs)
  const probe = await receivers.enter('a', never)
  const others = [receivers.enter('a', never), receivers.enter('a', never)]
  const closed = receivers.closed()
  receivers.leave('a', 'failed')

  assert.deepEqual([probe, closed], [0, ['a']])
  assert.deepEqual(await Promise.all(others), [20_000, 20_000])
})

test('a slow receiver has so many calls at one time, the others wait in line', async () => {
  const receivers = new Receivers(createManualClock(), {
    ...callbackDefaults,
    receiverConcurrency: 2,
  })
  const order: number[] = []
  const control = new AbortController()
  const enter = async (number: number, signal = never) => {
    await receivers.enter('a', signal)
    order.push(number)
  }

  await Promise.all([enter(1), enter(2)])
  const waiting = [enter(3), enter(4)]
  const given = enter(5, control.signal)
  control.abort(new Error('enough'))
  await assert.rejects(given, /enough/)
  receivers.leave('a', 'answered')
  await waiting[0]
  const before = [...order]
  receivers.leave('a', 'answered')
  await waiting[1]

  assert.deepEqual(
    [before, order],
    [
      [1, 2, 3],
      [1, 2, 3, 4],
    ],
  )
  assert.deepEqual(receivers.closed(), ['a'])
  assert.equal(await receivers.enter('b', never), 0)
})

test('nobody gets in line, or waits on, whose signal has aborted', async () => {
  const receivers = new Receivers(createManualClock(), {
    ...callbackDefaults,
    receiverConcurrency: 1,
  })
  const control = new AbortController()
  await receivers.enter('a', never)
  const waiting = receivers.enter('a', control.signal)

  control.abort(new Error('enough'))

  await assert.rejects(waiting, /enough/)
  await assert.rejects(receivers.enter('a', control.signal), /enough/)
  await assert.rejects(receivers.enter('b', control.signal), /enough/)
  assert.equal(receivers.active, 1)
})
