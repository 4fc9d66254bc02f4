import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '@drover/kernel'
import fc from 'fast-check'
import { chunkLocally } from '../src/chunk-locally.ts'
import { joinChunks } from '../src/join/join.ts'
import { parseInput } from '../src/source/input.ts'
import { parseWay } from '../src/way/parse-way.ts'
import type { WayOptions } from '../src/way/way.ts'
import { chunkBytes, makeFolder } from './local.ts'
import { makeText } from './texts.ts'

/** One way to cut, as split is told and as we are. */
interface Mode {
  readonly split: readonly string[]
  readonly by: string
  readonly options?: WayOptions
}

/** Every kind of cut that split knows. */
function modes(size: number, count: number, perFile = count): readonly Mode[] {
  const lines = { linesWhole: true }
  return [
    { split: ['-b', `${size}`], by: `bytes ${size}` },
    { split: ['-C', `${size}`], by: `bytes ${size}`, options: lines },
    { split: ['-C', `${size}`, '-t', '\\0'], by: `bytes ${size}`, options: { ...lines, ...zero } },
    { split: ['-n', `${count}`], by: `parts ${count}` },
    { split: ['-n', `l/${count}`], by: `parts ${count}`, options: lines },
    { split: ['-n', `l/${count}`, '-t', 'e'], by: `parts ${count}`, options: { ...lines, ...e } },
    { split: ['-n', `r/${count}`], by: `parts ${count}`, options: { dealt: true } },
    {
      split: ['-n', `r/${count}`, '-t', 'e'],
      by: `parts ${count}`,
      options: { dealt: true, ...e },
    },
    { split: ['-l', `${perFile}`], by: `lines ${perFile}` },
    { split: ['-l', `${perFile}`, '-t', 'e'], by: `lines ${perFile}`, options: e },
  ]
}

const e: WayOptions = { separator: 'e' }
const zero: WayOptions = { separator: '\\0' }

/** Cuts with both, compares file by file, and puts ours together again. */
async function agree(folder: string, file: Buffer, { split, by, options = {} }: Mode) {
  const [input, theirs, restored] = ['input', 'split', 'restored'].map((name) => join(folder, name))
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true })
  mkdirSync(theirs as string)
  writeFileSync(input as string, file)
  execFileSync('split', ['-a', '5', ...split, input as string, join(theirs as string, 'x')])

  const ours = await chunkBytes(folder, file, { by, as: 'files', options })

  const read = (from: string) =>
    readdirSync(from)
      .filter((name) => name !== 'manifest.ndjson')
      .sort()
      .map((name) => readFileSync(join(from, name)))
  const [made, wanted] = [read(ours), read(theirs as string)]
  const place = `split ${split.join(' ')} of ${file.length} bytes`
  assert.deepEqual(
    made.map(({ length }) => length),
    wanted.map(({ length }) => length),
    place,
  )
  for (const [index, bytes] of made.entries())
    assert.ok(wanted[index]?.equals(bytes), `${place}: file ${index}`)
  await joinChunks(ours, restored as string, () => {})
  assert.ok(readFileSync(restored as string).equals(file), `${place}: join`)
}

/** Files of lines of any bytes and lengths; some are odd in the ways that trip splitters. */
const anyFile = fc
  .tuple(
    fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
        fc
          .constantFrom('\n', '\r\n', '\n\n\n', '\0', 'e', 'line\n', 'x'.repeat(90))
          .map(Buffer.from),
      ),
      { maxLength: 40 },
    ),
    fc.boolean(),
  )
  .map(([parts, endsLine]) => Buffer.concat(endsLine ? [...parts, Buffer.from('\n')] : parts))

test('files of the local command are those of split, and join restores them', async (t) => {
  const folder = makeFolder(t)
  const size = fc.integer({ min: 1, max: 120 })
  const count = fc.integer({ min: 1, max: 12 })
  const kind = fc.nat(modes(1, 1).length - 1)
  const property = fc.asyncProperty(anyFile, size, count, kind, (file, bytes, parts, index) =>
    agree(folder, file, modes(bytes, parts)[index] as Mode),
  )
  await fc.assert(property, { numRuns: 100 })
})

async function agreeOnAll(t: TestContext, file: Buffer, size: number, count: number) {
  const folder = makeFolder(t)
  for (const mode of modes(size, count, 20_000)) {
    // Dealing out by a frequent letter makes a million lines, and takes as long.
    if (!mode.options?.dealt || mode.options.separator === undefined)
      await agree(folder, file, mode)
  }
}

const large = Buffer.from(makeText(5_500_000).replaceAll('. ', '.\n'))

test('a file of several segments is cut as split does, by threads', (t) =>
  agreeOnAll(t, large, 777_777, 5))

test('chunks that are larger than a segment are those of split', (t) =>
  agreeOnAll(t, large, 4_194_304, 2))

test('one line of several segments is cut as split does', (t) =>
  agreeOnAll(t, Buffer.alloc(9_000_001, 'x'), 1_000_003, 7))

test('an empty file is cut as split does', (t) => agreeOnAll(t, Buffer.alloc(0), 10, 3))

test('the header is repeated in files that threads write', async (t) => {
  const folder = makeFolder(t)
  const rows = Array.from({ length: 300_000 }, (_, row) => `${row},row number ${row}\n`)
  const table = Buffer.from(['id,name\n', ...rows].join(''))

  const chunks = await chunkBytes(folder, table, {
    ...{ by: 'lines 100000', as: 'files', options: { header: true }, name: 'table.csv' },
  })

  for (const [index, name] of ['table.000001.csv', 'table.000003.csv'].entries()) {
    const lines = readFileSync(join(chunks, name), 'utf8').split('\n')
    assert.equal(lines[0], 'id,name')
    assert.equal(lines[1], rows[index * 200_000]?.trimEnd())
    assert.equal(lines.length, 100_002)
  }
  await joinChunks(chunks, join(folder, 'restored'), () => {})
  assert.ok(readFileSync(join(folder, 'restored')).equals(table))
})

for (const as of ['files', 'zip'] as const)
  test(`${as} that are interrupted leave nothing`, async (t) => {
    const folder = makeFolder(t)
    const abort = new AbortController()
    let told = 0
    const advance = (done: number, all: number) => {
      told = Math.max(told, done / all)
      if (told > 0.3) abort.abort(new Error('ctrl-c'))
    }
    writeFileSync(join(folder, 'input'), large)

    const chunking = chunkLocally(
      {
        ...{ file: join(folder, 'input'), target: join(folder, 'a', 'out'), output: as },
        ...{ name: 'x', sums: true, way: parseWay('lines 5000'), input: parseInput() },
      },
      { clock: systemClock, chunksMax: 1_000_000, advance, signal: abort.signal },
    )

    await assert.rejects(chunking, /ctrl-c/)
    assert.deepEqual(
      readdirSync(folder, { recursive: true }).filter((name) => !/^a$/.test(String(name))),
      ['input'],
    )
  })

test('a join that is interrupted leaves nothing', async (t) => {
  const folder = makeFolder(t)
  const chunks = await chunkBytes(folder, large, { by: 'parts 9', as: 'pack' })
  const abort = new AbortController()
  const before = readdirSync(folder)

  const joining = joinChunks(
    chunks,
    join(folder, 'restored'),
    (done, all) => {
      if (done > all / 2) abort.abort(new Error('ctrl-c'))
    },
    abort.signal,
  )

  await assert.rejects(joining, /ctrl-c/)
  assert.deepEqual(readdirSync(folder), before)
})
