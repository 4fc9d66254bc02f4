import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { joinChunks } from '../src/join/join.ts'
import type { WayOptions } from '../src/way/way.ts'
import { chunkBytes, makeFolder } from './local.ts'
import { makeText } from './texts.ts'

const text = Buffer.from(makeText(60_000))
const table = Buffer.from(
  `name,note\n${Array.from({ length: 500 }, (_, row) => `${row},"a\nb ${row}"`).join('\n')}`,
)

const kept: [string, Buffer, WayOptions?][] = [
  ['bytes 7KiB', text],
  ['bytes 7KiB', text, { linesWhole: true }],
  ['parts 7', text],
  ['parts 7', text, { linesWhole: true }],
  ['parts 7', text, { dealt: true }],
  ['lines 9', text],
  ['lines 9', table, { header: true }],
  ['records 9', table, { header: true }],
  ['delimiter e', text, { keep: 'start' }],
  ['regex /[.!?]/', text],
  ['cdc 512/2048/8192', text],
  ['tokens 100/20', text],
  ['sentences 500/100', text],
  ['markdown 500/100', text],
]

for (const [by, file, options = {}] of kept)
  for (const as of ['files', 'zip', 'tar', 'pack', 'ndjson'] as const)
    test(`${by} ${JSON.stringify(options)} as ${as} is restored`, async (t) => {
      const folder = makeFolder(t)
      const chunks = await chunkBytes(folder, file, { by, as, options })
      const target = join(folder, 'restored')

      const { bytes } = await joinChunks(chunks, target, () => {})

      assert.equal(bytes, file.length)
      assert.ok(readFileSync(target).equals(file))
    })

for (const as of ['files', 'zip', 'tar', 'pack', 'ndjson', 'manifest', 'text'] as const)
  test(`an empty file gives an empty, valid ${as}, the same bytes each time`, async (t) => {
    const folder = makeFolder(t)

    const chunks = await chunkBytes(folder, Buffer.alloc(0), { by: 'lines 5', as })

    if (as === 'files') assert.deepEqual(readdirSync(chunks), ['manifest.ndjson'])
    if (as === 'manifest' || as === 'text') return
    await joinChunks(chunks, join(folder, 'restored'), () => {})
    assert.equal(readFileSync(join(folder, 'restored')).length, 0)
  })

test('results have the same bytes each time', async (t) => {
  for (const as of ['zip', 'tar', 'pack', 'ndjson', 'manifest'] as const) {
    const [one, other] = [makeFolder(t), makeFolder(t)]
    const first = await chunkBytes(one, text, { by: 'lines 10', as })
    const second = await chunkBytes(other, text, { by: 'lines 10', as })

    assert.ok(readFileSync(first).equals(readFileSync(second)), as)
  }
})

async function refuses(t: TestContext, code: string, spoil: (chunks: string) => void) {
  const folder = makeFolder(t)
  const chunks = await chunkBytes(folder, text, { by: 'lines 10', as: 'files' })
  spoil(chunks)
  const target = join(folder, 'restored')

  await assert.rejects(
    joinChunks(chunks, target, () => {}),
    { code },
  )

  assert.ok(!existsSync(target) && !existsSync(`${target}.part`), 'something was left')
}

test('a changed chunk is found', (t) =>
  refuses(t, 'CHUNKS_DAMAGED', (chunks) => {
    const path = join(chunks, 'in put.000002.txt')
    const bytes = readFileSync(path)
    bytes[0] = (bytes[0] ?? 0) ^ 1
    writeFileSync(path, bytes)
  }))

test('a missing chunk is found', (t) =>
  refuses(t, 'FILE_UNUSABLE', (chunks) => rmSync(join(chunks, 'in put.000002.txt'))))

test('a manifest that lacks a line, or its end, is found', async (t) => {
  const without = (wanted: (line: string) => boolean) => (chunks: string) => {
    const path = join(chunks, 'manifest.ndjson')
    const lines = readFileSync(path, 'utf8').split('\n')
    writeFileSync(path, lines.filter((line) => !wanted(line)).join('\n'))
  }
  await refuses(
    t,
    'CHUNKS_INCOMPLETE',
    without((line) => line.includes('"i":3,')),
  )
  await refuses(
    t,
    'CHUNKS_INCOMPLETE',
    without((line) => line.includes('"end":true')),
  )
})

test('a manifest that leads out of its folder is refused', (t) =>
  refuses(t, 'NAME_INVALID', (chunks) => {
    const path = join(chunks, 'manifest.ndjson')
    writeFileSync(path, readFileSync(path, 'utf8').replace('in put.000001.txt', '../../input'))
  }))

test('ways that drop bytes are not restored, and the reason is said', async (t) => {
  const folder = makeFolder(t)
  const chunks = await chunkBytes(folder, text, { by: 'letters a-c', as: 'zip' })

  await assert.rejects(
    joinChunks(chunks, join(folder, 'restored'), () => {}),
    { code: 'CHUNKS_INCOMPLETE', message: /does not keep all bytes/ },
  )
})

test('gzip, zstd and other encodings are unpacked first', async (t) => {
  const latin = Buffer.from('Élan naïve.', 'latin1')
  const cases = [
    [gzipSync(text), { packing: 'gzip' }, text],
    [zstdCompressSync(text), { packing: 'zstd' }, text],
    [latin, { encoding: 'latin1' }, Buffer.from('Élan naïve.')],
    [Buffer.from('Élan', 'utf16le'), { encoding: 'utf-16le' }, Buffer.from('Élan')],
  ] as const
  for (const [bytes, form, wanted] of cases) {
    const folder = makeFolder(t)
    const chunks = await chunkBytes(folder, bytes, { by: 'sentences', as: 'pack', ...form })
    await joinChunks(chunks, join(folder, 'restored'), () => {})

    assert.ok(readFileSync(join(folder, 'restored')).equals(wanted))
  }
})

test('bad input is refused, and nothing half-written is left', async (t) => {
  const cases = [
    ['INPUT_DAMAGED', gzipSync(text).subarray(0, 5_000), { by: 'lines 1', packing: 'gzip' }],
    ['NOT_TEXT', Buffer.from([0xff, 0xfe, 0]), { by: 'tokens 5' }],
    ['NOT_TEXT', Buffer.from('a\0b'), { by: 'letters a' }],
    ['CHUNKS_TOO_MANY', text, { by: 'bytes 1', chunksMax: 100 }],
    ['CHUNKS_TOO_MANY', text, { by: 'delimiter e', chunksMax: 100 }],
    ['NAME_INVALID', text, { by: 'lines 1', name: '../x' }],
    ['NAME_INVALID', text, { by: 'lines 1', name: '..' }],
  ] as const
  for (const [code, bytes, wish] of cases)
    for (const as of ['files', 'zip'] as const) {
      const folder = makeFolder(t)
      await assert.rejects(chunkBytes(folder, bytes, { ...wish, as }), { code }, `${code} ${as}`)
      assert.deepEqual(readdirSync(folder), ['input'])
    }
})

test('what is no file is not written over, by cutting or by joining', async (t) => {
  const folder = makeFolder(t)
  const chunks = await chunkBytes(folder, text, { by: 'bytes 7KiB', as: 'zip' })
  const device = join(folder, 'device')
  execFileSync('mkfifo', [device])

  await assert.rejects(
    joinChunks(chunks, device, () => {}),
    /is no file/,
  )
  execFileSync('mkfifo', [join(folder, 'result.pack')])
  await assert.rejects(chunkBytes(folder, text, { by: 'bytes 7KiB', as: 'pack' }), /is no file/)

  assert.ok(statSync(device).isFIFO())
})
