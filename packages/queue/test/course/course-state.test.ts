import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type CourseEvent, CourseState } from '../../src/course/course-state.ts'

/** Returns the event that the random number `choice` means here; undefined when there is none. */
function toEvent(state: CourseState, choice: number): CourseEvent | undefined {
  const topic = `T${choice % 3}`
  const serials = (state.topics.get(topic) ?? []).map(({ serial }) => serial)
  const part = { kind: 'part', topic, part: `P${serials.length}`, index: serials.length } as const
  if (serials.length === 0) return part
  const [producer, consumer] = [state.producers, state.consumers].map((all) => choice % all.length)
  return [
    part,
    { kind: 'producer', parts: serials } as const,
    { kind: 'consumer', parts: serials, offsets: serials.map(() => choice) } as const,
    choice % 5 === 0 ? ({ kind: 'topic-gone', topic } as const) : undefined,
    producer ? ({ kind: 'produced', id: producer, turn: 0 } as const) : undefined,
    consumer ? ({ kind: 'consumed', id: consumer, place: 0, offset: choice } as const) : undefined,
  ][Math.floor(choice / 3) % 6]
}

const seen = (state: CourseState) => [
  Object.fromEntries(state.topics),
  state.producers,
  state.consumers,
]

test('the fewest events come to the same state as all of them', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1_000), { maxLength: 60 }), (choices) => {
      const all = new CourseState()
      for (const choice of choices) {
        const event = toEvent(all, choice)
        if (event) all.apply(event)
      }
      const short = new CourseState()

      for (const event of all.toEvents()) short.apply(event)

      assert.deepEqual(seen(short), seen(all))
    }),
  )
})

test('an event that does not fit what went before is refused', () => {
  const state = new CourseState()

  assert.throws(() => state.apply({ kind: 'producer', parts: [3] }), RangeError)
  assert.throws(() => state.apply({ kind: 'produced', id: 0, turn: 1 }), RangeError)
})
