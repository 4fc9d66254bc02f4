import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '@drover/kernel'
import { chunkLocally } from '../src/chunk-locally.ts'
import { joinChunks } from '../src/join/join.ts'
import type { LocalOrder } from '../src/make-result.ts'
import { parseInput } from '../src/source/input.ts'
import { parseWay } from '../src/way/parse-way.ts'
import { chunkBytes, makeFolder } from './local.ts'
import { makeText } from './texts.ts'

const text = Buffer.from(makeText(300_000))

interface Wish extends Partial<LocalOrder> {
  readonly by?: string
  readonly meanwhile?: () => void
}

/** Chunks `input` of a folder; `meanwhile` is called once, when work goes on. */
async function chunk(folder: string, { by = 'lines 5', meanwhile, ...order }: Wish) {
  let isCalled = false
  const advance = () => {
    if (!isCalled) meanwhile?.()
    isCalled = true
  }
  const file = join(folder, 'input')
  const known = { file, name: 'x', output: 'zip', target: join(folder, 'out'), sums: true } as const
  const way = parseWay(by)
  return chunkLocally(
    { ...known, way, input: parseInput(), ...order },
    { clock: systemClock, chunksMax: 1_000_000, advance },
  )
}

function withInput(t: TestContext, bytes = text): string {
  const folder = makeFolder(t)
  writeFileSync(join(folder, 'input'), bytes)
  return folder
}

for (const name of ['input', 'link'])
  test(`a file is not written over by its own chunks, named "${name}"`, async (t) => {
    const folder = withInput(t)
    symlinkSync(join(folder, 'input'), join(folder, 'link'))

    const chunking = chunk(folder, { target: join(folder, name), output: 'text' })

    await assert.rejects(chunking, { code: 'FILE_UNUSABLE', message: /is what is read/ })
    assert.ok(readFileSync(join(folder, 'input')).equals(text))
    assert.deepEqual(readdirSync(folder), ['input', 'link'])
  })

test('chunks are not written over by the file that is made of them', async (t) => {
  const folder = makeFolder(t)
  const chunks = await chunkBytes(folder, text, { by: 'lines 5', as: 'zip' })
  const before = readFileSync(chunks)

  const joining = joinChunks(chunks, chunks, () => {})

  await assert.rejects(joining, { code: 'FILE_UNUSABLE', message: /is what is read/ })
  assert.ok(readFileSync(chunks).equals(before))
})

const changes: [string, (path: string) => void][] = [
  ['is written over', (path) => writeFileSync(path, Buffer.alloc(text.length, 'y'))],
  ['becomes shorter', (path) => writeFileSync(path, 'short')],
]

for (const [what, change] of changes)
  for (const output of ['files', 'zip', 'ndjson'] as const)
    test(`a file that ${what} while it is chunked as ${output} is a fault`, async (t) => {
      const folder = withInput(t)
      const meanwhile = () => change(join(folder, 'input'))

      const chunking = chunk(folder, { output, meanwhile })

      await assert.rejects(chunking, { code: 'FILE_UNUSABLE' })
      assert.deepEqual(readdirSync(folder), ['input'])
    })

test('a log that grows while it is chunked is chunked as far as it was', async (t) => {
  const folder = withInput(t)
  const meanwhile = () => appendFileSync(join(folder, 'input'), 'one more line\n')

  const { bytes } = await chunk(folder, { meanwhile })

  assert.equal(bytes, text.length)
  await joinChunks(join(folder, 'out'), join(folder, 'restored'), () => {})
  assert.ok(readFileSync(join(folder, 'restored')).equals(text))
})

test('a pipe that nobody writes to is refused, not waited for', async (t) => {
  const folder = makeFolder(t)
  execFileSync('mkfifo', [join(folder, 'input')])

  await assert.rejects(chunk(folder, {}), { code: 'FILE_UNUSABLE', message: /no regular file/ })
  await assert.rejects(
    joinChunks(join(folder, 'input'), join(folder, 'restored'), () => {}),
    { code: 'FILE_UNUSABLE' },
  )
})

test('packed input that is not there is a fault, as any other', async (t) => {
  const folder = makeFolder(t)

  const chunking = chunk(folder, { input: parseInput('gzip') })

  await assert.rejects(chunking, { code: 'FILE_UNUSABLE', message: /no such file/ })
  assert.deepEqual(readdirSync(folder), [])
})
