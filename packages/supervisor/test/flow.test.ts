import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { createManualClock } from '@drover/kernel'
import { readOutput } from '../src/flow.ts'

test('a flood is read no faster than the bound, and all of it in the end', async () => {
  const clock = createManualClock()
  const source = new PassThrough()
  let bytes = 0
  readOutput(
    source,
    (chunk) => {
      bytes += chunk.length
      return chunk.length / 2
    },
    clock,
  )
  // Two bytes a line cost 33 each, so 8 MB a second are some 242 kB of these.
  for (let chunks = 0; chunks < 64; chunks++) source.write(Buffer.alloc(65_536, 'y\n'))
  source.end()

  await clock.advance(2_000)
  assert.ok(bytes > 400_000 && bytes < 1_000_000, `${bytes}`)

  await clock.advance(60_000)
  assert.equal(bytes, 64 * 65_536)
})

test('what a program usually prints is never held back', async () => {
  const clock = createManualClock()
  const source = new PassThrough()
  let lines = 0
  readOutput(source, () => ++lines && 1, clock)

  for (let second = 0; second < 100; second++) {
    for (let line = 0; line < 1_000; line++) source.write('x'.repeat(100))
    await clock.advance(100)
  }

  assert.equal(source.isPaused(), false)
  assert.equal(clock.pending, 0)
})
