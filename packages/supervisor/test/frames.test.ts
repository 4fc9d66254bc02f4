import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createFrameReader } from '../src/docker/frames.ts'

type Piece = readonly ['stdout' | 'stderr', Uint8Array]

function frame([stream, payload]: Piece): Buffer {
  const header = Buffer.alloc(8)
  header[0] = stream === 'stderr' ? 2 : 1
  header.writeUInt32BE(payload.length, 4)
  return Buffer.concat([header, payload])
}

test('both outputs come out of the frames, however their bytes are cut', () => {
  const piece = fc.tuple(fc.constantFrom('stdout', 'stderr'), fc.uint8Array({ maxLength: 40 }))
  fc.assert(
    fc.property(fc.array(piece), fc.array(fc.nat(60)), (pieces, sizes) => {
      const bytes = Buffer.concat(pieces.map(frame))
      const out = { stdout: [] as number[], stderr: [] as number[] }
      let payloads = 0
      const read = createFrameReader((stream, payload) => {
        out[stream].push(...payload)
        payloads++
        return 1
      })

      let start = 0
      let sum = 0
      for (const size of [...sizes, bytes.length]) {
        sum += read(bytes.subarray(start, start + size))
        start += size
      }

      assert.equal(sum, payloads)
      for (const stream of ['stdout', 'stderr'] as const)
        assert.deepEqual(
          out[stream],
          pieces.filter(([of]) => of === stream).flatMap(([, payload]) => [...payload]),
        )
    }),
  )
})
