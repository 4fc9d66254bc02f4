import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Frame, FrameReader, frameHead, frameKinds } from '../../src/wire/frames.ts'

const bytesMax = 4_000_000

function frameOf(number: number, json: unknown, payload: Buffer): Buffer {
  return Buffer.concat([frameHead(frameKinds.request, number, json, [payload]), payload])
}

/** Cuts `bytes` at the given places, taken modulo its length. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % bytes.length))].sort((a, b) => a - b)
  return [...at, bytes.length].map((end, index) => bytes.subarray(at[index - 1] ?? 0, end))
}

describe('frame reader', () => {
  it('finds the same frames however the bytes are cut', () => {
    const payloads = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 6 })
    const places = fc.array(fc.nat(5_000), { maxLength: 40 })
    fc.assert(
      fc.property(payloads, places, (all, at) => {
        const sent = all.map((bytes, index) => frameOf(index, [index], Buffer.from(bytes)))
        const found: Frame[] = []
        const reader = new FrameReader(bytesMax, (frame) => found.push(frame))
        for (const chunk of cut(Buffer.concat(sent), at)) reader.push(Buffer.from(chunk))
        assert.deepEqual(
          found.map(({ number, json, bytes }) => [number, json, [...bytes]]),
          all.map((bytes, index) => [index, [index], [...bytes]]),
        )
        assert.equal(reader.count, all.length)
        assert.equal(reader.isWithinFrame, false)
      }),
      { numRuns: 300 },
    )
  })

  it('takes a frame of several MiB that comes in small pieces', () => {
    const payload = Buffer.alloc(3_500_000, 'abc')
    const found: Frame[] = []
    const reader = new FrameReader(bytesMax, (frame) => found.push(frame))
    const sent = frameOf(7, null, payload)
    for (let at = 0; at < sent.length; at += 50_000) reader.push(sent.subarray(at, at + 50_000))
    assert.ok(found[0]?.bytes.equals(payload))
  })

  it('makes room as bytes come, not as a length claims', () => {
    const readers = Array.from({ length: 200 }, () => new FrameReader(bytesMax, () => {}))
    const before = process.memoryUsage().arrayBuffers
    const claim = Buffer.alloc(16)
    claim.writeUInt32LE(bytesMax, 0)
    for (const reader of readers) reader.push(claim)
    const grown = process.memoryUsage().arrayBuffers - before
    assert.ok(readers.every(({ isWithinFrame }) => isWithinFrame))
    assert.ok(grown < 300 * 1_048_576, `${grown} bytes for 200 claims of ${bytesMax}`)
  })

  it('refuses lengths that cannot be, other versions and spoilt JSON', () => {
    const good = frameOf(1, ['x', {}], Buffer.alloc(0))
    const spoil = (change: (bytes: Buffer) => void) => {
      const bytes = Buffer.from(good)
      change(bytes)
      return bytes
    }
    const bad = {
      'shorter than a header': spoil((bytes) => bytes.writeUInt32LE(15, 0)),
      'longer than the limit': spoil((bytes) => bytes.writeUInt32LE(bytesMax + 1, 0)),
      'longer than all': spoil((bytes) => bytes.writeUInt32LE(0xffff_ffff, 0)),
      'JSON longer than the frame': spoil((bytes) => bytes.writeUInt32LE(good.length, 12)),
      'another version': spoil((bytes) => bytes.writeUInt8(9, 4)),
      'no JSON': spoil((bytes) => bytes.fill('{', 16)),
    }
    for (const [what, bytes] of Object.entries(bad)) {
      const reader = new FrameReader(bytesMax, () => assert.fail(`${what} was taken`))
      assert.throws(() => reader.push(bytes), { code: 'FRAME_INVALID' }, what)
    }
  })
})
