import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { test } from 'node:test'
import { type ChunkService, startChunkService } from './harness/chunks.ts'
import { until } from './harness/until.ts'

const fileBytes = 512 * 2 ** 20
/** The benchmark measures; this is to fail when a process keeps a good part of the file. */
const mostBytes = 220 * 2 ** 20

test('half a GiB goes in, through and out again, and no process keeps much of it', async (context) => {
  const service = await startChunkService(context)

  for (const by of ['bytes 16MiB', 'lines 1000', 'cdc']) {
    const id = await send(service, by)
    await until(
      `${by} is done`,
      async () => (await service.requests()).find((own) => own.id === id)?.state === 'done',
      120_000,
    )
    const answer = await fetch(`${service.url}/requests/${id}/result`)
    let bytes = 0
    for await (const part of answer.body ?? []) bytes += part.length
    assert.equal(`${bytes}`, answer.headers.get('content-length'))
    assert.ok(bytes > fileBytes)
    await fetch(`${service.url}/requests/${id}`, { method: 'DELETE' })
  }

  for (const role of ['serve', 'door', 'front', 'backend'] as const)
    for (const pid of service.pids(role)) {
      const peak = peakBytesOf(pid)
      assert.ok(peak < mostBytes, `${role} had ${(peak / 2 ** 20).toFixed(0)} MiB`)
    }
})

/** Sends lines that are made as they go. */
async function send({ url }: ChunkService, by: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const sent = request(`${url}/chunks?${new URLSearchParams({ by, as: 'tar' })}`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
  })
  sent.on('error', reject).on('response', (answer) => {
    let text = ''
    answer.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
    answer.on('end', () => resolve(text))
  })
  const block = Buffer.alloc(2 ** 20)
  for (let done = 0; done < fileBytes; done += block.length) {
    block.fill(`${done} is where this line of a large file is, as can be seen here\n`)
    await new Promise((written) => sent.write(block, written))
  }
  sent.end()
  return JSON.parse(await promise).id
}

function peakBytesOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1_024
}
