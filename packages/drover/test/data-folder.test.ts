import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { findInstance, openDataFolder } from '../src/data-folder.ts'

async function folderOf(context: TestContext): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'drover-data-'))
  context.after(() => rm(parent, { recursive: true, force: true }))
  return join(parent, 'data')
}

test('the folder and what is in it are for their owner only', async (context) => {
  const path = await folderOf(context)

  const data = await openDataFolder(path)
  await data.announce('http://127.0.0.1:1', 'a-secret-token-here')

  assert.equal((await stat(path)).mode & 0o777, 0o700)
  for (const file of ['run.json', 'sticky-secret'])
    assert.equal((await stat(join(path, file))).mode & 0o777, 0o600, file)
  await data.close()
})

test('a second instance is refused until the first gives the folder back', async (context) => {
  const path = await folderOf(context)
  const first = await openDataFolder(path)
  await first.announce('http://127.0.0.1:4321', undefined)

  await assert.rejects(openDataFolder(path), {
    code: 'INSTANCE_RUNNING',
    message: new RegExp(`in use by process ${process.pid} \\(http://127.0.0.1:4321\\)`),
  })
  await first.close()
  const second = await openDataFolder(path)
  await second.close()
})

test('what a dead process left, or a crash broke, is taken over', async (context) => {
  const path = await folderOf(context)
  const first = await openDataFolder(path)
  await first.close()

  for (const left of [
    JSON.stringify({ pid: 2 ** 22 - 1, processStart: '1' }),
    JSON.stringify({ pid: process.pid, processStart: 'of another process with this number' }),
    '{"pid":',
    '',
  ]) {
    await writeFile(join(path, 'run.json'), left)
    assert.equal(await findInstance(path), undefined, left)
    const data = await openDataFolder(path)
    assert.equal((await findInstance(path))?.pid, process.pid)
    await data.close()
  }
})

test('the secret of sticky sessions is drawn once and kept', async (context) => {
  const path = await folderOf(context)
  const first = await openDataFolder(path)
  await first.close()

  const second = await openDataFolder(path)

  assert.ok(first.stickySecret.length >= 32)
  assert.equal(second.stickySecret, first.stickySecret)
  assert.equal((await readFile(join(path, 'sticky-secret'), 'utf8')).trim(), first.stickySecret)
  await second.close()
})

test('a folder that cannot be made is named', async (context) => {
  const path = await folderOf(context)
  await writeFile(path, 'a file is in the way')

  await assert.rejects(openDataFolder(path), {
    code: 'DATA_FOLDER_UNUSABLE',
    message: /--data names another folder/,
  })
})

test('a folder that cannot be made is refused, not tried for ever', async () => {
  for (const path of ['/proc/nope', '/proc/nope/deep', '/dev/null/inside'])
    await assert.rejects(openDataFolder(path), { code: 'DATA_FOLDER_UNUSABLE' }, path)
})
