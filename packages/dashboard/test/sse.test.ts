import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createSseParser } from '../src/client/sse.ts'

test('an event has its id, its name and its lines of data', () => {
  const parse = createSseParser()

  const events = parse(': hello\n\nid: 7\nevent: job\ndata: one\ndata: two\n\ndata: three\n\n')

  assert.deepEqual(events, [
    { id: '7', name: 'job', data: 'one\ntwo' },
    { id: '7', name: 'message', data: 'three' },
  ])
})

test('comments, unknown fields and events without data are nothing', () => {
  const parse = createSseParser()

  assert.deepEqual(parse(': still here\n\nretry: 10\nnonsense\nevent: lonely\n\n'), [])
})

test('however a stream is cut into pieces, its events are the same', () => {
  const text =
    'id: 1\r\ndata: {"a":1}\r\n\r\n: x\n\nevent: b\rdata: 2\rdata:3\r\rid: 2\ndata: end\n\n'
  const whole = createSseParser()(text)
  assert.equal(whole.length, 3)

  fc.assert(
    fc.property(fc.array(fc.nat(text.length - 1)), (cuts) => {
      const parse = createSseParser()
      const ends = [...new Set([...cuts, text.length])].sort((one, other) => one - other)
      let start = 0
      const events = ends.flatMap((end) => {
        const piece = text.slice(start, end)
        start = end
        return parse(piece)
      })
      assert.deepEqual(events, whole)
    }),
  )
})

test('an event without end is refused instead of filling the memory', () => {
  const parse = createSseParser()

  assert.throws(() => {
    for (let piece = 0; piece < 10; piece++) parse('x'.repeat(2 ** 20))
  }, RangeError)
})
