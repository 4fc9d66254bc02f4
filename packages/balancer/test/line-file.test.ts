import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createManualClock, systemClock } from '@drover/kernel'
import { LineFile } from '../src/line-file.ts'
import { until } from './until.ts'

async function temporaryFile(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'line-file-'))
  t.after(() => rm(folder, { recursive: true }))
  return join(folder, 'log')
}

test('lines are gathered, and written together', async (t) => {
  const clock = createManualClock()
  const path = await temporaryFile(t)
  const file = new LineFile(path, clock)
  file.write('one')
  file.write('two')
  assert.equal(await readFile(path, 'utf8'), '')

  await clock.advance(200)
  await until('both lines', async () => (await readFile(path, 'utf8')) === 'one\ntwo\n')

  await file.close()
})

test('what is pending is written before the file is closed, and added to what is there', async (t) => {
  const path = await temporaryFile(t)
  for (const line of ['one', 'two']) {
    const file = new LineFile(path, systemClock)
    file.write(line)
    await file.close()
  }

  assert.equal(await readFile(path, 'utf8'), 'one\ntwo\n')
})

test('where more waits for the disk than may, a line says how many were left out', async (t) => {
  const path = await temporaryFile(t)
  const file = new LineFile(path, systemClock)
  const long = 'x'.repeat(2 ** 20)
  for (let count = 0; count < 12; count++) file.write(long)
  await file.close()

  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n')
  assert.equal(lines.length, 10)
  assert.equal(lines.at(-1), '{"leftOut":3}')
})

const withFullDisk = { skip: existsSync('/dev/full') ? false : 'needs /dev/full' }
test('a full disk keeps nobody from closing', withFullDisk, async () => {
  const file = new LineFile('/dev/full', systemClock)
  file.write('lost')

  await file.close()
})

test('a file that cannot be opened is refused', () => {
  assert.throws(() => new LineFile('/dev/null/log', systemClock), { code: 'PLAN_REFUSED' })
})
