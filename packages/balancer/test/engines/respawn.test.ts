import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock, seededRandom } from '@drover/kernel'
import { Respawn } from '../../src/engines/respawn.ts'

/** A program that comes up well each time. */
function createProgram() {
  const clock = createManualClock()
  const starts: number[] = []
  const respawn = new Respawn(clock, seededRandom(1), async () => {
    starts.push(clock.monotonic())
    respawn.settled()
  })
  return { clock, starts, respawn }
}

test('who dies once is started again at once', async () => {
  const { clock, starts, respawn } = createProgram()
  respawn.again()
  await clock.advance(0)
  assert.deepEqual(starts, [0])
})

test('who comes up and dies each time is started after growing waits, of 10 s at most', async () => {
  const { clock, starts, respawn } = createProgram()
  for (let death = 0; death < 200; death++) {
    respawn.again()
    await clock.advance(10_000)
    assert.equal(starts.length, death + 1, 'none waits for longer')
  }
  const quick = createProgram()
  let waitedMs = 0
  for (let death = 0; death < 12; death++) {
    quick.respawn.again()
    while (quick.starts.length === death) {
      await quick.clock.advance(10)
      waitedMs += 10
    }
  }
  assert.ok(waitedMs > 5_000, `${waitedMs} ms for twelve deaths`)
})

test('who has run for ten seconds is started again at once when it dies', async () => {
  const { clock, starts, respawn } = createProgram()
  for (let death = 0; death < 5; death++) {
    respawn.again()
    await clock.advance(10_000)
  }
  await clock.advance(10_000)
  respawn.again()
  await clock.advance(0)
  assert.equal(starts.length, 6)
})

test('who was ended is not started any more', async () => {
  const { clock, starts, respawn } = createProgram()
  respawn.again()
  respawn.end()
  await clock.advance(60_000)
  assert.deepEqual(starts, [])
})
