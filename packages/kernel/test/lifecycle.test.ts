import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '../src/clock.ts'
import { type Service, startAll, stopAll, withDeadline } from '../src/lifecycle.ts'

function recorded(name: string, seen: string[], fails?: 'start' | 'stop'): Service {
  const act = (verb: 'start' | 'stop') => async () => {
    seen.push(`${verb} ${name}`)
    if (fails === verb) throw new Error(`${name} does not ${verb}`)
  }
  return { start: act('start'), stop: act('stop') }
}

test('services start in order and stop in reverse', async () => {
  const seen: string[] = []
  const services = [recorded('store', seen), recorded('door', seen)]

  await startAll(services)
  await stopAll(services)

  assert.deepEqual(seen, ['start store', 'start door', 'stop door', 'stop store'])
})

test('when one does not start, those that did are stopped again', async () => {
  const seen: string[] = []
  const services = [recorded('store', seen), recorded('door', seen, 'start'), recorded('no', seen)]

  await assert.rejects(startAll(services), /door does not start/)

  assert.deepEqual(seen, ['start store', 'start door', 'stop door', 'stop store'])
})

test('every service is stopped even when some fail, and all failures are told', async () => {
  const seen: string[] = []
  const services = [
    recorded('one', seen, 'stop'),
    recorded('two', seen),
    recorded('three', seen, 'stop'),
  ]

  await assert.rejects(stopAll(services), (error: AggregateError) => error.errors.length === 2)

  assert.deepEqual(seen, ['stop three', 'stop two', 'stop one'])
})

test('work that takes too long ends in a fault that names it', async () => {
  const clock = createManualClock()
  const late = withDeadline('reading the map', 100, clock, new Promise(() => {}))
  const refused = assert.rejects(late, { code: 'DEADLINE_PASSED', message: /reading the map/ })

  await clock.advance(100)

  await refused
  assert.equal(await withDeadline('quick', 100, clock, Promise.resolve(7)), 7)
  assert.equal(clock.pending, 0)
})
