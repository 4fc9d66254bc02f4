import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '../src/clock.ts'

test('a manual clock runs timers in order of their time', async () => {
  const clock = createManualClock(1_000)
  const seen: string[] = []
  clock.after(20, () => seen.push(`late at ${clock.now()}`))
  clock.after(10, () => seen.push(`early at ${clock.now()}`))
  const cancel = clock.after(15, () => seen.push('never'))
  cancel()

  await clock.advance(25)

  assert.deepEqual(seen, ['early at 1010', 'late at 1020'])
  assert.equal(clock.monotonic(), 25)
})

test('a repeated timer runs until it is cancelled', async () => {
  const clock = createManualClock()
  let count = 0
  const cancel = clock.every(10, () => count++)

  await clock.advance(35)
  cancel()
  await clock.advance(100)

  assert.equal(count, 3)
  assert.equal(clock.pending, 0)
})

test('a sleeper wakes when its time has come, or rejects when told to stop', async () => {
  const clock = createManualClock()
  const controller = new AbortController()
  const woken = clock.sleep(10)
  const stopped = clock.sleep(10, controller.signal)
  const rejected = assert.rejects(stopped, /enough/)

  controller.abort(new Error('enough'))
  await clock.advance(10)

  await woken
  await rejected
})

test('a jump moves the wall time but not the monotonic one', () => {
  const clock = createManualClock(5_000)

  clock.jump(-3_000)

  assert.equal(clock.now(), 2_000)
  assert.equal(clock.monotonic(), 0)
})
