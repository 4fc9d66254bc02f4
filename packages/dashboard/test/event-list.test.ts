import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noEvents, withEvents } from '../src/live/event-list.ts'

const event = (id: number) => ({ id, atMs: id, level: 'notice', kind: 'k', message: `event ${id}` })
const ids = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => event(first + index))

test('a stream that begins again repeats nothing', () => {
  const before = withEvents(noEvents, ids(1, 5))

  const after = withEvents(before, ids(3, 7))

  assert.deepEqual(
    after.events.map(({ id }) => id),
    [1, 2, 3, 4, 5, 6, 7],
  )
  assert.equal(after.lastId, 7)
})

test('without news the list is the same one, so that nobody draws again', () => {
  const before = withEvents(noEvents, ids(1, 5))

  assert.equal(withEvents(before, ids(2, 4)), before)
})

test('of very many the last thousand stay', () => {
  const { events, lastId } = withEvents(noEvents, ids(1, 2_500))

  assert.equal(events.length, 1_000)
  assert.equal(events[0]?.id, 1_501)
  assert.equal(lastId, 2_500)
})
