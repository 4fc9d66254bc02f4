import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEventLog } from '../src/event-log.ts'

const event = (message: string) => ({ level: 'notice', kind: 'test.thing.done', message }) as const

test('events count from 1 and can be read from any of them on', () => {
  const log = createEventLog(() => 7)

  log.record(event('one'))
  log.record(event('two'))

  assert.equal(log.lastId, 2)
  assert.deepEqual(log.since(1), [{ id: 2, atMs: 7, ...event('two') }])
  assert.equal(log.since(0).length, 2)
})

test('only the last thousand are kept', () => {
  const log = createEventLog(() => 0)

  for (let count = 0; count < 1_500; count++) log.record(event(String(count)))

  assert.equal(log.since(0).length, 1_000)
  assert.equal(log.since(0)[0]?.id, 501)
})

test('a follower hears what happens until it has heard enough', () => {
  const log = createEventLog(() => 0)
  const heard: string[] = []

  const unfollow = log.follow(({ message }) => heard.push(message))
  log.record(event('one'))
  unfollow()
  log.record(event('two'))

  assert.deepEqual(heard, ['one'])
})
