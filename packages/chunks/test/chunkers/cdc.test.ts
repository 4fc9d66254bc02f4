import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { createLanesFinder } from '../../src/cdc/lanes.ts'
import { coreModule, createWasmFinder } from '../../src/cdc/wasm-core.ts'
import { CdcChunker } from '../../src/chunkers/cdc.ts'
import { cut, cutInSteps, stepEnds, vectorInput } from '../cut.ts'

interface Case {
  readonly seed: number
  readonly level: number
  readonly min: number
  readonly avg: number
  readonly max: number
  readonly lengths: readonly number[]
}

const folder = join(import.meta.dirname, '..', '..', '..', 'test', 'fixtures')
const vectors = JSON.parse(readFileSync(join(folder, 'fastcdc-vectors.json'), 'utf8')) as {
  readonly inputSha256: string
  readonly cases: readonly Case[]
  readonly zeros: Omit<Case, 'seed'> & { readonly bytes: number }
}
const input = vectorInput()

const optionsOf = ({ seed, level, min, avg, max }: Case) => ({
  seed: BigInt(seed),
  level,
  minBytes: min,
  avgBytes: avg,
  maxBytes: max,
})

test('the input is that of the vectors, and all 24 cases are there', () => {
  assert.equal(createHash('sha256').update(input).digest('hex'), vectors.inputSha256)
  assert.equal(vectors.cases.length, 24)
})

for (const vector of vectors.cases) {
  const { seed, level, min, avg, max } = vector
  const name = `seed ${seed}, level ${level}, ${min}/${avg}/${max}`

  test(`the WebAssembly core cuts as the vector says: ${name}`, async () => {
    for (const step of [input.length, 1_000, 65_537]) {
      const pieces = await cut(new CdcChunker(optionsOf(vector)), input, step)

      assert.deepEqual(
        pieces.map(([start, end]) => end - start),
        vector.lengths,
        `in steps of ${step}`,
      )
    }
  })

  test(`the two lanes of TypeScript cut as the vector says: ${name}`, () => {
    const finder = createLanesFinder(optionsOf(vector), input)

    const lengths: number[] = []
    for (let start = 0; start < input.length; ) {
      const end = finder.find(start, input.length)
      lengths.push(end - start)
      start = end
    }

    assert.deepEqual(lengths, vector.lengths)
  })
}

test('zeros, which never meet a mask, are cut at the most', async () => {
  const { zeros } = vectors
  const file = Buffer.alloc(zeros.bytes)

  const pieces = await cut(new CdcChunker(optionsOf({ ...zeros, seed: 0 })), file)

  assert.deepEqual(
    pieces.map(([start, end]) => end - start),
    zeros.lengths,
  )
})

const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 })

test('a vector is cut alike in pushes of any sizes', async () => {
  const property = fc.asyncProperty(
    fc.constantFrom(...vectors.cases),
    shares,
    async (vector, cuts) => {
      const ends = stepEnds(input.length, cuts)
      const pieces = await cutInSteps(new CdcChunker(optionsOf(vector)), input, ends)
      assert.deepEqual(
        pieces.map(([start, end]) => end - start),
        vector.lengths,
      )
    },
  )
  await fc.assert(property, { numRuns: 60 })
})

/** Sizes, a level and a seed that are allowed; small, so that a small file has many pieces. */
const anyOptions = fc.record({
  minBytes: fc.integer({ min: 64, max: 300 }),
  avgBytes: fc.integer({ min: 300, max: 2_000 }),
  maxBytes: fc.integer({ min: 2_000, max: 5_001 }),
  level: fc.integer({ min: 0, max: 3 }),
  seed: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
})

test('the core and the lanes agree on any bytes, with any options', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 20_000, size: 'max' }),
    fc.tuple(fc.nat(255), fc.nat(20_000)).map(([value, count]) => Buffer.alloc(count, value)),
  )
  const property = fc.property(anyOptions, bytes, (options, file) => {
    const core = createWasmFinder(options, Math.max(1, file.length))
    core.bytes.set(file)
    const lanes = createLanesFinder(options, file)
    for (let start = 0; start < file.length; ) {
      const end = core.find(start, file.length)
      assert.equal(lanes.find(start, file.length), end)
      assert.ok(end > start && end - start <= options.maxBytes)
      start = end
    }
  })
  fc.assert(property, { numRuns: 300 })
})

test('the same bytes give the same pieces after something was put before them', async () => {
  const options = { seed: 0n, level: 2, minBytes: 2_048, avgBytes: 8_192, maxBytes: 32_768 }
  const before = await cut(new CdcChunker(options), input)
  const shifted = Buffer.concat([Buffer.from('an insertion'), input])

  const after = await cut(new CdcChunker(options), shifted)

  const ends = new Set(before.map(([, end]) => end))
  const shared = after.filter(([, end]) => ends.has(end - 12))
  assert.ok(shared.length > before.length * 0.9, `${shared.length} of ${before.length}`)
})

test('a chunker that begins at the end of a piece goes on as the first would', async () => {
  const options = { seed: 666n, level: 1, minBytes: 2_048, avgBytes: 8_192, maxBytes: 32_768 }
  const whole = await cut(new CdcChunker(options), input)
  const [, , [start = 0] = []] = whole

  const rest = await cut(new CdcChunker(options, start), input.subarray(start))

  assert.deepEqual(rest, whole.slice(2))
})

test('the core is a few hundred bytes', () => {
  assert.ok(coreModule(1).length < 400, `${coreModule(1).length} bytes`)
})
