import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { get, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, test } from 'node:test'
import {
  type ChunkService,
  descendants,
  makeText,
  resultOf,
  startChunkService,
  submit,
} from './harness/chunks.ts'
import { lives, runDrover } from './harness/drover.ts'
import { until } from './harness/until.ts'

/** Work on this takes a few seconds, even on a fast machine. */
const by = 'letters a-m,n-z,a-z,a-z,e-t,a-z'
const large = makeText(32 * 2 ** 20)
let wanted: Buffer

before(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'drover-test-'))
  writeFileSync(join(folder, 'book.txt'), large)
  const words = ['chunk', 'book.txt', '--by', by, '--as', 'text', '-o', 'wanted']
  const { code, stderr } = await runDrover(words, { cwd: folder })
  assert.equal(code, 0, stderr)
  wanted = await readFile(join(folder, 'wanted'))
  await rm(folder, { recursive: true })
})

const query = { by, as: 'text', name: 'book.txt' }

/** Resolves when the only request is in the middle. */
const inTheMiddle = (service: ChunkService) =>
  until('the work is in the middle', async () => {
    const [first] = await service.requests()
    assert.notEqual(first?.state, 'done', 'the work ended too soon for this test')
    return first?.state === 'working' && first.progress > 0.05
  })

const signal = (pids: readonly number[], name: NodeJS.Signals) => {
  for (const pid of pids) process.kill(pid, name)
}

test('a backend killed in the middle, then all of them: the result is whole', async (context) => {
  const service = await startChunkService(context)
  const id = await submit(service, large, query)
  await inTheMiddle(service)

  signal(service.pids('backend').slice(0, 1), 'SIGKILL')
  const [{ progress } = { progress: 0 }] = await service.requests()
  await until('the others go on', async () => {
    const [own] = await service.requests()
    return own && own.progress > progress
  })
  signal(service.pids('backend'), 'SIGKILL')

  assert.ok((await resultOf(service, id)).equals(wanted))
})

test('the front killed in the middle goes on where it stood, and the queue is as it was', async (context) => {
  const service = await startChunkService(context)
  const id = await submit(service, large, query)
  const next = await submit(service, Buffer.from('one two'), { ...query, name: 'next' })
  const checkpoint = join(service.folder, 'data', 'requests', id, 'checkpoint.json')
  await inTheMiddle(service)
  const backends = service.pids('backend')
  signal(backends, 'SIGSTOP')
  const frozenMs = performance.now()
  await until('a checkpoint is due', () => performance.now() - frozenMs > 1_000)
  signal(backends, 'SIGCONT')
  await until('there is a checkpoint', () => existsSync(checkpoint))
  const kept = JSON.parse(await readFile(checkpoint, 'utf8')) as { doneBytes: number }

  const [front = 0] = service.pids('front')
  signal([front], 'SIGKILL')

  const views = await until('another front answers', async () => {
    const found = service.pids('front')
    return found[0] !== undefined && found[0] !== front && (await service.requests())
  })
  assert.deepEqual(
    views.map(({ name, place }) => [name, place]).filter(([, place]) => place !== undefined),
    [
      ['book.txt', views[0]?.place],
      ['next', 1 + (views[0]?.place ?? 0)],
    ],
  )
  const share = kept.doneBytes / large.length
  assert.ok((views[0]?.progress ?? 0) >= share, `${views[0]?.progress} after ${share}`)
  assert.ok((await resultOf(service, id)).equals(wanted))
  assert.equal(
    (await resultOf(service, next)).toString(),
    ['', ...Array(5).fill('one two')].join('\n'),
  )
})

test('everything killed at once leaves no process; after a new start the result is whole', async (context) => {
  const service = await startChunkService(context)
  const id = await submit(service, large, query)
  await inTheMiddle(service)
  const all = descendants(service.child.pid ?? 0)

  service.child.kill('SIGKILL')

  await until('no process is left', async () =>
    (await Promise.all(all.map(lives))).every((alive) => !alive),
  )
  const again = await startChunkService(context, { folder: service.folder })
  assert.ok((await resultOf(again, id)).equals(wanted))
})

test('a front killed while it receives: the client is told, and nothing of it is left', async (context) => {
  const service = await startChunkService(context)
  const requests = join(service.folder, 'data', 'requests')
  const sent = request(`${service.url}/chunks?by=lines%205`, { method: 'POST' })
  const failed = new Promise((resolve) => {
    sent.on('error', resolve)
    sent.on('response', ({ statusCode }) => resolve(statusCode))
  })
  sent.write(large.subarray(0, 8 * 2 ** 20))
  await until('it is being received', () => readdirSync(requests).length === 1)

  signal(service.pids('front'), 'SIGKILL')

  const told = await failed
  assert.ok(told instanceof Error || Number(told) >= 500, `${told}`)
  await until('nothing is left', () => readdirSync(requests).length === 0)
})

test('a download cut off by a kill is seen as such, and continued where it broke', async (context) => {
  const service = await startChunkService(context)
  const id = await submit(service, large, { by: 'lines 100', as: 'zip', name: 'book.txt' })
  const whole = await resultOf(service, id)
  const path = `${service.url}/requests/${id}/result`
  const { part, error, tag } = await downloadUntil(path, 4 * 2 ** 20, () =>
    signal(service.pids('front'), 'SIGKILL'),
  )
  assert.ok(error, 'the client was not told')
  assert.ok(part.length < whole.length)

  const rest = await until('the rest is given', async () => {
    const answer = await fetch(path, {
      headers: { range: `bytes=${part.length}-`, 'if-range': tag },
    }).catch(() => undefined)
    return answer?.status === 206 && Buffer.from(await answer.arrayBuffer())
  })

  assert.ok(Buffer.concat([part, rest]).equals(whole))
})

/** Downloads slowly, and calls `then` when so much is there; resolves to what came. */
function downloadUntil(path: string, bytes: number, then: () => void) {
  return new Promise<{ part: Buffer; error: unknown; tag: string }>((resolve) => {
    get(path, (answer) => {
      const parts: Buffer[] = []
      let count = 0
      const end = (error: unknown) =>
        resolve({ part: Buffer.concat(parts), error, tag: answer.headers.etag ?? '' })
      answer.on('data', (part: Buffer) => {
        parts.push(part)
        if (count < bytes && count + part.length >= bytes) {
          answer.pause()
          then()
          setImmediate(() => answer.resume())
        }
        count += part.length
      })
      answer.once('end', () => end(undefined)).once('error', end)
    })
  })
}

test('ctrl-c in the middle leaves no process and nothing half-received', async (context) => {
  const service = await startChunkService(context)
  await submit(service, large, query)
  const sent = request(`${service.url}/chunks?by=lines%205`, { method: 'POST' })
  sent.on('error', () => {})
  sent.write(large.subarray(0, 2 ** 20))
  const requests = join(service.folder, 'data', 'requests')
  await until('it is being received', () => readdirSync(requests).length === 2)
  await inTheMiddle(service)
  const all = descendants(service.child.pid ?? 0)

  service.child.kill('SIGINT')

  assert.equal(await service.ended, 0)
  await until('no process is left', async () =>
    (await Promise.all(all.map(lives))).every((alive) => !alive),
  )
  assert.equal(readdirSync(requests).length, 1)
})
