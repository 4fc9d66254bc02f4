import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLane } from '../../src/fetching/lane.ts'

test('so many go at one time, the others after them in their order, whatever becomes of one', async () => {
  const lane = createLane(2)
  const begun: number[] = []
  const ends = [0, 1, 2, 3, 4].map(() => Promise.withResolvers<number>())
  const all = ends.map(({ promise }, at) =>
    lane(() => {
      begun.push(at)
      return promise
    }),
  )
  const settled = Promise.allSettled(all)

  const first = [...begun]
  ends[1]?.reject(new Error('no'))
  await all[1]?.catch(() => {})
  const second = [...begun]
  for (const [at, end] of ends.entries()) end.resolve(at)
  const results = await settled

  assert.deepEqual(
    [first, second, begun],
    [
      [0, 1],
      [0, 1, 2],
      [0, 1, 2, 3, 4],
    ],
  )
  assert.deepEqual(
    results.map((result) => result.status === 'fulfilled' && result.value),
    [0, false, 2, 3, 4],
  )
  assert.equal(await lane(async () => 'again'), 'again')
})
