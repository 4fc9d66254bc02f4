import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { exitCodeOf, messageOf } from '../../src/commands/exit-codes.ts'
import { createProgram } from '../../src/commands/program.ts'

/** Runs a command line; returns its exit code and what was complained of. */
async function run(...words: string[]): Promise<{ code: number; message: string }> {
  const program = await createProgram(words)
  program.configureOutput({ writeErr: () => {}, writeOut: () => {} })
  for (const command of program.commands)
    command.configureOutput({ writeErr: () => {}, writeOut: () => {} })
  try {
    await program.parseAsync(words, { from: 'user' })
    return { code: 0, message: '' }
  } catch (error) {
    return { code: exitCodeOf(error), message: messageOf(error) }
  }
}

function makeInput(t: TestContext): { folder: string; file: string } {
  const folder = mkdtempSync(join(tmpdir(), 'drover-chunk-command-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'log')
  writeFileSync(file, 'one\ntwo\nthree\n')
  return { folder, file }
}

const wrong: [string, RegExp, ...string[]][] = [
  ['without --by', /--by is missing/],
  ['an unknown way', /no way to chunk/, '--by', 'wurst'],
  ['a size of zero', /whole number from 1 on/, '--by', 'lines 0'],
  ['an unknown output', /--as wurst: expected files/, '--by', 'lines 1', '--as', 'wurst'],
  ['an option of another way', /lines has no option keep/, '--by', 'lines 1', '--keep', 'drop'],
  ['--header with bytes', /bytes has no option header/, '--by', 'bytes 1', '--header'],
  ['--no-sums with a zip', /--no-sums/, '--by', 'lines 1', '--as', 'zip', '--no-sums'],
  ['an unknown packing', /no packing/, '--by', 'lines 1', '--input', 'rar'],
  ['an unknown encoding', /no encoding/, '--by', 'lines 1', '--encoding', 'rot13'],
  ['a limit that is no number', /--chunks-max/, '--by', 'lines 1', '--chunks-max', 'all'],
]

for (const [what, message, ...words] of wrong)
  test(`drover chunk with ${what} is refused with exit code 2, and writes nothing`, async (t) => {
    const { folder, file } = makeInput(t)

    const told = await run('chunk', file, ...words)

    assert.deepEqual([told.code, readdirSync(folder)], [2, ['log']], told.message)
    assert.match(told.message, message)
  })

test('drover chunk refuses an output that would be written over its input', async (t) => {
  const { folder, file } = makeInput(t)

  const told = await run('chunk', file, '--by', 'lines 1', '--as', 'text', '-o', file)

  assert.equal(told.code, 1)
  assert.match(told.message, /is what is read/)
  assert.deepEqual(readdirSync(folder), ['log'])
})

for (const [what, words, message] of [
  ['a URL that is none', ['--url', 'localhost'], /--url: "localhost" is no URL/],
  ['an unknown way', ['--by', 'wurst'], /no way to chunk/],
] as const)
  test(`drover chunks storm with ${what} is refused with exit code 2, before it is sent`, async (t) => {
    const { file } = makeInput(t)

    const told = await run('chunks', 'storm', file, '--requests', '1', ...words)

    assert.equal(told.code, 2)
    assert.match(told.message, message)
  })
