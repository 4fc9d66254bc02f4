import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '@drover/kernel'
import { Slots } from '../../src/pipeline/slots.ts'

test('as many endings as attempts may wait, and no more', () => {
  let freed = 0
  const slots = new Slots(2, createManualClock(), () => freed++)
  const all = [slots.take(), slots.take()]
  const full = slots.free
  for (const slot of all) slot.rest()
  const resting = slots.free
  const more = [slots.take(), slots.take()]
  more[0]?.rest()
  const crowded = slots.free
  all[0]?.leave()

  assert.deepEqual([full, resting, crowded, slots.free, slots.taken], [0, 2, 0, 1, 3])
  all[0]?.leave()
  all[0]?.rest()
  assert.equal(slots.taken, 3, 'who has left is gone, whatever he says')
  assert.equal(freed, 3)
})

test('jobs that are short are fetched ahead, those that take long are not', async () => {
  const clock = createManualClock()
  const slots = new Slots(10, clock, () => {})
  const end = (count: number) => {
    for (let job = 0; job < count; job++) {
      const slot = slots.take()
      slot.rest()
      slot.leave()
    }
  }
  const seen: number[] = [slots.ahead]
  for (const count of [4, 30, 0, 0]) {
    end(count)
    await clock.advance(20)
    seen.push(slots.ahead)
  }
  end(1)
  await clock.advance(1_000)
  seen.push(slots.ahead)

  assert.deepEqual(seen, [0, 4, 10, 0, 0, 0])
})

test('whoever waits for the last one is told when it has left', async () => {
  const slots = new Slots(3, createManualClock(), () => {})
  const [one, other] = [slots.take(), slots.take()]
  let idle = false
  const waiting = slots.whenIdle().then(() => {
    idle = true
  })
  one.rest()
  one.leave()
  await Promise.resolve()
  const early = idle
  other.leave()
  await waiting

  assert.equal(early, false)
})
