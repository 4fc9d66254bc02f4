import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Upload } from 'tus-js-client'
import { later, makeFolder } from '../local.ts'
import { makeText } from '../texts.ts'
import { startTestBackend, until } from './service.ts'

const program = fileURLToPath(new URL('./front-process.js', import.meta.url))
const text = Buffer.from(makeText(6_000_000))

async function startFront(t: TestContext, port: number, folder: string, backendsUrl: string) {
  const child: ChildProcess = spawn(process.execPath, [program, `${port}`, folder, backendsUrl], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  later(t, async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
  const [line] = await once(child.stdout ?? child, 'data')
  return { child, url: String(line).trim() }
}

for (const parallelUploads of [1, 4])
  test(`tus-js-client, ${parallelUploads} at a time, goes on after the front was killed twice`, async (t) => {
    const folder = makeFolder(t)
    const backend = await startTestBackend(t)
    const first = await startFront(t, 0, folder, backend.url)
    const port = Number(new URL(first.url).port)
    let front = first.child
    let kills = 0
    const restart = async () => {
      kills++
      front.kill('SIGKILL')
      await once(front, 'exit')
      front = (await startFront(t, port, folder, backend.url)).child
    }
    let sentAfterKill = 0
    const restarts: Promise<void>[] = []

    await new Promise<void>((resolve, reject) => {
      new Upload(text, {
        endpoint: `${first.url}/files`,
        chunkSize: 300_000,
        parallelUploads,
        retryDelays: Array(100).fill(100),
        metadata: { filename: 't.txt', by: 'lines 5', as: 'text' },
        onProgress: (sent) => {
          const isDue = kills < 2 && sent > ((kills + 1) * text.length) / 3
          if (kills > 0) sentAfterKill = sent
          if (isDue) restarts.push(restart())
        },
        onSuccess: () => resolve(),
        onError: reject,
      }).start()
    })

    await Promise.all(restarts)
    assert.equal(kills, 2)
    assert.ok(sentAfterKill > 0)
    const list = async () =>
      (await (await fetch(`${first.url}/requests`)).json()) as { id: string; state: string }[]
    await until('done', async () => (await list())[0]?.state === 'done')
    const all = await list()
    assert.equal(all.length, 1, 'the upload became more than one request')
    const answer = await fetch(`${first.url}/requests/${all[0]?.id}/manifest`)
    const [head = ''] = (await answer.text()).split('\n')
    assert.equal(JSON.parse(head).sha256, createHash('sha256').update(text).digest('hex'))
  })
