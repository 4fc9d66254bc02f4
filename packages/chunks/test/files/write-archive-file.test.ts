import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '@drover/kernel'
import fc from 'fast-check'
import { writeOutput } from '../../src/archives/write-archive.ts'
import { chunkSource, cutFile, planSource } from '../../src/chunk-file.ts'
import { writeArchiveFile } from '../../src/files/write-archive-file.ts'
import { createNamer } from '../../src/names.ts'
import { PieceStore } from '../../src/pieces/piece-store.ts'
import { ContentReader } from '../../src/source/content-reader.ts'
import { openSource } from '../../src/source/file-source.ts'
import { parseWay } from '../../src/way/parse-way.ts'
import type { WayOptions } from '../../src/way/way.ts'
import { makeFolder } from '../local.ts'
import { makeText } from '../texts.ts'

const run = { clock: systemClock, chunksMax: 1_000_000, advance: () => {} }

interface Wish {
  readonly by: string
  readonly output: 'zip' | 'tar' | 'pack'
  readonly options?: WayOptions
  readonly name?: string
  /** Another thread for so many bytes. */
  readonly threadBytes: number
}

/** Writes an archive as the local command does, and as a download is streamed; they must be the same. */
async function agree(within: string, file: Buffer, wish: Wish) {
  const { by, output, options = {}, name = 'in put.txt', threadBytes } = wish
  const folder = mkdtempSync(join(within, 'one-'))
  writeFileSync(join(folder, 'input'), file)
  const source = await openSource(join(folder, 'input'))
  const plan = await planSource(source, parseWay(by, options))
  const facts = { plan, name, nameOf: createNamer(name), sha256: 'of the whole' }

  const store = await PieceStore.create(join(folder, 'pieces-of-threads'))
  const path = join(folder, 'archive')
  const sha256 = Promise.resolve('of the whole')
  const target = { output, path, content: source, store, sha256, threadBytes }
  await writeArchiveFile(cutFile(source, plan, run), facts, target, run)

  const chunked = await chunkSource(source, plan, folder, run)
  const reader = new ContentReader(source)
  const streamed: Buffer[] = []
  for await (const block of writeOutput(output, { pieces: chunked.store, reader, facts }))
    streamed.push(Buffer.from(block))
  assert.ok(readFileSync(path).equals(Buffer.concat(streamed)), `${by} as ${output}`)
  for (const opened of [store, chunked.store, source]) await opened.close()
}

const text = Buffer.from(makeText(4_700_000).replaceAll('. ', '.\n'))
const header = { header: true }
const never = Number.POSITIVE_INFINITY

for (const output of ['zip', 'tar', 'pack'] as const)
  for (const [by, options] of [
    ['bytes 3000'],
    ['bytes 1048576'],
    ['bytes 2500000'],
    ['parts 2', { linesWhole: true }],
    ['lines 7000', header],
    ['lines 30', header],
    ['cdc'],
  ] as [string, WayOptions?][])
    for (const threadBytes of [never, 1_000_000])
      test(`${by} as ${output} is the same bytes by ${threadBytes === never ? 'no' : 'four'} threads as streamed`, (t) =>
        agree(makeFolder(t), text, { by, output, threadBytes, options: options ?? {} }))

test('long names and an empty file are laid out as they are streamed', async (t) => {
  const folder = makeFolder(t)
  for (const output of ['zip', 'tar', 'pack'] as const) {
    const name = `${'lång '.repeat(30)}.txt`
    await agree(folder, text, { by: 'bytes 900001', output, name, threadBytes: 1_000_000 })
    await agree(folder, Buffer.alloc(0), { by: 'bytes 9', output, threadBytes: 1_000_000 })
  }
})

test('any pieces of any file are laid out as they are streamed', async (t) => {
  const folder = makeFolder(t)
  const property = fc.asyncProperty(
    fc.uint8Array({ maxLength: 3_000 }),
    fc.integer({ min: 1, max: 900 }),
    fc.constantFrom('zip', 'tar', 'pack'),
    fc.constantFrom('bytes', 'parts', 'lines'),
    (bytes, size, output, by) =>
      agree(folder, Buffer.from(bytes), { by: `${by} ${size}`, output, threadBytes: never }),
  )
  await fc.assert(property, { numRuns: 60 })
})
