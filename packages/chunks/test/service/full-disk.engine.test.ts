import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, statfsSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { later, makeFolder } from '../local.ts'
import { makeText } from '../texts.ts'
import { send, startTestBackend, startTestService, until } from './service.ts'

// Mounting needs root and Linux, so this counts among the tests against foreign servers.

const run = (program: string, ...words: string[]) => execFileSync(program, words)

/** A folder that is a disk of `mebibytes` by itself. */
function smallDisk(t: TestContext, mebibytes: number): string {
  const folder = makeFolder(t)
  run('mount', '-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', folder)
  later(t, () => run('umount', '-l', folder))
  return folder
}

const freeBytes = (folder: string) => {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

const text = Buffer.from(makeText(2_000_000))

test('a disk that is really full: 507, nothing half-written, downloads and work go on', async (t) => {
  const folder = smallDisk(t, 24)
  const backend = await startTestBackend(t)
  const { url, front } = await startTestService(t, folder, backend.url, { highWater: 1 })
  const first = (await (await send(url, 'by=letters&as=text', text)).json()) as { id: string }
  await until('the first is done', () => front.board.find(first.id).state === 'done')
  const whole = await (await fetch(new URL(`/requests/${first.id}/result`, url))).text()
  const before = { free: freeBytes(folder), folders: readdirSync(join(folder, 'requests')) }

  const upload = await send(url, 'by=lines%205', Buffer.alloc(40_000_000, 'too much\n'))
  const tus = await fetch(new URL('/files', url), {
    method: 'POST',
    headers: { 'tus-resumable': '1.0.0', 'upload-length': '40000000' },
  })
  const part = await fetch(new URL(tus.headers.get('location') ?? '', url), {
    method: 'PATCH',
    headers: {
      'tus-resumable': '1.0.0',
      'upload-offset': '0',
      'content-type': 'application/offset+octet-stream',
    },
    body: Buffer.alloc(40_000_000, 'x'),
  })

  assert.deepEqual([upload.status, part.status], [507, 507])
  assert.deepEqual(readdirSync(join(folder, 'requests')), before.folders)
  assert.ok(before.free - freeBytes(folder) < 100_000, 'room was not given back')
  assert.equal(await (await fetch(new URL(`/requests/${first.id}/result`, url))).text(), whole)
  assert.equal((await send(url, 'by=lines%205&wait=yes', text)).status, 200)
})

test('work whose result does not fit ends with the reason and gives all its room back', async (t) => {
  const folder = smallDisk(t, 24)
  const { url } = await startTestService(t, folder, (await startTestBackend(t)).url, {
    highWater: 1,
  })
  const before = freeBytes(folder)
  const by = new URLSearchParams({ by: `letters ${Array(20).fill('a-z').join()}`, wait: 'yes' })

  const answer = await send(url, by.toString(), text)

  assert.equal(answer.status, 410)
  assert.match(((await answer.json()) as { detail: string }).detail, /disk is full/)
  assert.ok(before - freeBytes(folder) < 100_000, 'room was not given back')
  assert.equal((await send(url, 'by=lines%205&wait=yes', text)).status, 200)
})

test('over the high-water mark nothing new is taken, and below it again', async (t) => {
  const folder = smallDisk(t, 24)
  const { url } = await startTestService(t, folder, (await startTestBackend(t)).url, {
    highWater: 0.5,
  })
  assert.equal((await send(url, 'by=lines%205&wait=yes', text)).status, 200)
  const ballast = join(folder, 'ballast')
  writeFileSync(ballast, Buffer.alloc(14_000_000))

  await until('it is noticed', async () => (await send(url, 'by=lines%205', text)).status === 507)
  await rm(ballast)

  await until('it is noticed', async () => (await send(url, 'by=lines%205', text)).status === 202)
})
