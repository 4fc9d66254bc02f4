import assert from 'node:assert/strict'
import { test } from 'node:test'
import fastCheck from 'fast-check'
import { copyBytes, copyPlainJson, findLow, viewOf } from '../src/protocol/bytes.ts'
import { readInstant, writeDifference } from '../src/protocol/decimal.ts'
import { LineReader } from '../src/protocol/line-reader.ts'
import { readLocation } from '../src/protocol/location.ts'

/** What a reader tells of bytes that come in pieces; `stopEvery` has it stop and go on. */
function linesOf(pieces: readonly Uint8Array[], stopEvery = 0): string[] {
  const told: string[] = []
  const text = (bytes: Uint8Array, start: number, end: number) =>
    Buffer.from(bytes.subarray(start, end)).toString('latin1')
  const reader = new LineReader({
    line(bytes, start, end) {
      told.push(text(bytes, start, end))
      return stopEvery === 0 || told.length % stopEvery !== 0
    },
    broken(bytes, start, end) {
      told.push(`broken ${text(bytes, start, Math.min(end, start + 1_024))}`)
    },
  })
  for (const piece of pieces) {
    reader.push(piece)
    for (let resumed = 0; resumed < 500 && stopEvery > 0; resumed++) reader.resume()
  }
  reader.flush()
  return told
}

test('lines are the same wherever the bytes are cut, and however often the reader stops', () => {
  const piece = fastCheck.array(
    fastCheck.constantFrom('a', 'bc', '\r', '\n', '\r\n', ' ', '\0', 'é'),
    {
      maxLength: 30,
    },
  )
  fastCheck.assert(
    fastCheck.property(
      fastCheck.array(piece),
      fastCheck.integer({ min: 1, max: 3 }),
      (parts, stop) => {
        const pieces = parts.map((part) => Buffer.from(part.join(''), 'latin1'))
        const whole = linesOf([Buffer.concat(pieces)])

        assert.deepEqual(linesOf(pieces), whole)
        assert.deepEqual(linesOf(pieces, stop), whole)
      },
    ),
  )
})

test('bytes are searched, copied and made JSON alike at every place and length', () => {
  const bytes = fastCheck.uint8Array({ maxLength: 40 })
  const place = fastCheck.integer({ min: 0, max: 7 })
  fastCheck.assert(
    fastCheck.property(bytes, place, place, (run, start, at) => {
      const source = Buffer.concat([Buffer.alloc(start), run, Buffer.alloc(3)])
      const end = start + run.length
      const target = Buffer.alloc(at + run.length * 6 + 4, 'x')
      const low = run.findIndex((byte) => byte <= 10)
      assert.equal(findLow(viewOf(source), start, end), low < 0 ? end : start + low)

      assert.equal(copyBytes(viewOf(source), start, end, viewOf(target), at), at + run.length)
      assert.deepEqual(target.subarray(at, at + run.length), Buffer.from(run))
      assert.equal(target.toString('latin1', 0, at), 'x'.repeat(at))
      assert.equal(target[at + run.length], 120)

      const jsonEnd = copyPlainJson(viewOf(source), start, end, viewOf(target), at)
      const json = target.toString('latin1', at, jsonEnd)
      assert.equal(JSON.parse(`"${json}"`), Buffer.from(run).toString('latin1'))
      assert.match(json, /^[ -~]*$/)
      assert.ok(json.length <= run.length * 6)
      assert.equal(target[jsonEnd], 120)
    }),
    { numRuns: 2_000 },
  )
})

test('a difference is that of whole numbers of nanoseconds', () => {
  const instant = fastCheck.record({
    seconds: fastCheck.oneof(
      fastCheck.integer({ min: 0, max: 3 }),
      fastCheck.integer({ min: 0, max: 999_999_999_999_999 }),
    ),
    nanos: fastCheck.oneof(
      fastCheck.integer({ min: 0, max: 999_999_999 }),
      fastCheck.constantFrom(0, 1, 999_999_999),
    ),
  })
  const inNanos = ({ seconds, nanos }: { seconds: number; nanos: number }) =>
    BigInt(seconds) * 1_000_000_000n + BigInt(nanos)
  fastCheck.assert(
    fastCheck.property(instant, instant, (later, earlier) => {
      const difference = inNanos(later) - inNanos(earlier)
      const size = difference < 0n ? -difference : difference
      const digits = String(size).padStart(10, '0')
      const expected = `${difference < 0n ? '-' : '+'}${digits.slice(0, -9)}.${digits.slice(-9)}`

      const target = Buffer.alloc(32)
      const end = writeDifference(later, earlier, target, 2)
      assert.equal(target.toString('latin1', 2, end), expected)
    }),
  )
})

test('a time is read to the nanosecond; digits after the ninth are dropped', () => {
  const cases: [string, number, number][] = [
    ['1621464827.959498503', 1_621_464_827, 959_498_503],
    ['1621464827.9594985039999', 1_621_464_827, 959_498_503],
    ['0.000000001', 0, 1],
    ['000123.5', 123, 500_000_000],
    ['999999999999999', 999_999_999_999_999, 0],
  ]
  for (const [text, seconds, nanos] of cases) {
    const target = { seconds: -1, nanos: -1 }
    assert.equal(readInstant(Buffer.from(text), 0, text.length, target), true)
    assert.deepEqual(target, { seconds, nanos })
  }
})

const classic = /^([+-]\d{1,2}(?:\.\d+)?)([+-]\d{1,3}(?:\.\d+)?)$/

test('the classic grammar takes what its expression takes, within the range', () => {
  const part = fastCheck.constantFrom(
    '+',
    '-',
    '.',
    '0',
    '1',
    '9',
    '18',
    '34',
    '90',
    '179',
    '180',
    'e',
    ',',
    '/',
  )
  fastCheck.assert(
    fastCheck.property(fastCheck.array(part, { maxLength: 12 }), (parts) => {
      const text = parts.join('')
      const match = classic.exec(text)
      const [latitude, longitude] = [Number(match?.[1]), Number(match?.[2])]
      const isTaken = match !== null && Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180

      const target = { latitude: 0, longitude: 0 }
      const bytes = Buffer.from(`x${text}y`)
      assert.equal(readLocation(bytes, 1, bytes.length - 1, 'classic', target), isTaken, text)
      if (isTaken) {
        assert.ok(Math.abs(target.latitude - latitude) < 1e-12, text)
        assert.ok(Math.abs(target.longitude - longitude) < 1e-12, text)
      }
    }),
    { numRuns: 5_000 },
  )
})

const iso: Record<string, readonly [latitude: number, longitude: number]> = {
  '+40-075/': [40, -75],
  '+40.20361-075.00417/': [40.20361, -75.00417],
  '+4012-07500/': [40.2, -75],
  '+4012.22-07500.25/': [40 + 12.22 / 60, -(75 + 0.25 / 60)],
  '+401213-0750015/': [40 + 12 / 60 + 13 / 3_600, -(75 + 15 / 3_600)],
  '+401213.1-0750015.1/': [40 + 12 / 60 + 13.1 / 3_600, -(75 + 15.1 / 3_600)],
  '+40-075+350/': [40, -75],
  '+40.20361-075.00417+350.517/': [40.20361, -75.00417],
  '+40-075CRSWGS_84/': [40, -75],
  '-90+000+2800CRSWGS_84/': [-90, 0],
  '+40-180/': [40, -180],
  '+90+000/': [90, 0],
  '+12,5-118,25': [12.5, -118.25],
}
for (const [text, [latitude, longitude]] of Object.entries(iso))
  test(`ISO 6709: ${text} is taken`, () => {
    const target = { latitude: 0, longitude: 0 }
    assert.equal(readLocation(Buffer.from(text), 0, text.length, 'iso', target), true)
    assert.ok(Math.abs(target.latitude - latitude) < 1e-9)
    assert.ok(Math.abs(target.longitude - longitude) < 1e-9)
  })

const notIso = [
  '+40/',
  '4000/',
  '+40121-075001/',
  '+4060-07560/',
  '+401260-0750060/',
  '+40121300-075001500/',
  '+40-75/',
  '+4-075/',
  '+90.1+000/',
  '+9000.5+00000/',
  '+40-18000.1/',
  '+40-0750015/',
  '',
]
for (const text of notIso)
  test(`ISO 6709: ${text || 'nothing'} is refused`, () => {
    const target = { latitude: 0, longitude: 0 }
    assert.equal(readLocation(Buffer.from(text), 0, text.length, 'iso', target), false)
  })
