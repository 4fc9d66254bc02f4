import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { chunksProcesses, peakBytesOf, type ServiceProcess } from './lab/chunks-processes.ts'
import type { Claim } from './lab/claim.ts'
import { startDrover } from './lab/drover.ts'
import type { Lab } from './lab/lab.ts'
import { freePorts } from './lab/ports.ts'
import { tableLines } from './lab/table.ts'

const gib = 2 ** 30
/** The first run is small: what is more after the second has grown with the file. */
const runs = [
  { by: 'lines 100000', bytes: gib },
  { by: 'lines 100000', bytes: 10 * gib },
  { by: 'bytes 64MiB', bytes: gib },
  { by: 'cdc', bytes: gib },
  { by: 'letters a-m,n-z', bytes: gib },
] as const

const goalBytes = 150 * 2 ** 20

/** Resident memory of each process of the service while 10 GiB go through it. */
export const chunksMemory: Claim = {
  name: 'chunks-memory',
  about: 'resident memory of each process of the chunk service while 10 GiB go through it',
  async run(lab) {
    const [port = 0] = await freePorts(1)
    const url = `http://127.0.0.1:${port}`
    const words = ['chunks', 'serve', '--listen', `127.0.0.1:${port}`]
    const data = join(lab.directory, 'chunks')
    const drover = await startDrover(lab, port, [...words, '--data', data])
    await untilReady(url)
    const processes = chunksProcesses(drover.pid)
    const header = ['', ...processes.map(({ role }) => role)]
    const rows = [['idle', ...peaks(processes)]]
    for (const { by, bytes } of runs) {
      const id = await send(lab, url, by, bytes)
      rows.push([`${bytes / gib} GiB, ${by}`, ...peaks(processes)])
      if (bytes > gib) {
        await download(lab, `${url}/requests/${id}/result?as=zip`, bytes)
        rows.push(['its zip, downloaded', ...peaks(processes)])
      }
      await fetch(`${url}/requests/${id}`, { method: 'DELETE' })
    }
    lab.print('the most memory that was resident so far (VmHWM), in MiB, after each run')
    lab.print()
    for (const line of tableLines([header, ...rows])) lab.print(line)
    const most = Math.max(...processes.map(({ pid }) => peakBytesOf(pid)))
    lab.print()
    lab.print(`the most of any process: ${inMib(most)} MiB; goal: at most ${inMib(goalBytes)} MiB`)
  },
}

function peaks(processes: readonly ServiceProcess[]): string[] {
  return processes.map(({ pid }) => inMib(peakBytesOf(pid)))
}

function inMib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0)
}

async function untilReady(url: string): Promise<void> {
  for (const untilMs = performance.now() + 20_000; performance.now() < untilMs; ) {
    const answer = await fetch(`${url}/healthz`).catch(() => undefined)
    if (answer?.ok) return
    await sleep(50)
  }
  throw new Error('the service is not ready')
}

/** Sends lines that are made as they go, and waits until they are chunked. */
async function send(lab: Lab, url: string, by: string, bytes: number): Promise<string> {
  const query = new URLSearchParams({ by, as: 'manifest', name: 'lines.txt' })
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const sent = request(`${url}/chunks?${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream', 'content-length': bytes },
  })
  sent.on('error', reject).on('response', (answer) => {
    let text = ''
    answer.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
    answer.on('end', () => resolve(text))
  })
  const block = Buffer.alloc(2 ** 20)
  for (let done = 0; done < bytes; done += block.length) {
    fill(block, done)
    lab.progress(`${by}: ${(done / gib).toFixed(1)} of ${bytes / gib} GiB sent`)
    // The block is written again, so it must be gone by then.
    await new Promise((written) => sent.write(block, written))
  }
  sent.end()
  const { id } = JSON.parse(await promise) as { id: string }
  for (;;) {
    const answer = await fetch(`${url}/requests/${id}`)
    const { state, progress } = (await answer.json()) as { state: string; progress: number }
    if (state === 'done') return id
    if (state !== 'waiting' && state !== 'working') throw new Error(`${by}: ${state}`)
    lab.progress(`${by}: ${Math.floor(progress * 100)} % chunked`)
    await sleep(200)
  }
}

/** Lines of 64 bytes, each with its own number in four characters. */
function fill(block: Buffer, at: number): void {
  if (at === 0) block.fill(`${'a line of a large file '.padEnd(63, '.')}\n`)
  for (let line = 0; line < block.length; line += 64) {
    const number = (at + line) / 64
    for (let digit = 0; digit < 4; digit++)
      block[line + digit] = 0x40 + (Math.floor(number / 64 ** digit) % 0x3f)
  }
}

async function download(lab: Lab, url: string, leastBytes: number): Promise<void> {
  const answer = await fetch(url)
  let bytes = 0
  for await (const part of answer.body ?? []) {
    bytes += part.length
    lab.progress(`downloaded ${(bytes / gib).toFixed(1)} GiB`)
  }
  if (!answer.ok || bytes < leastBytes) throw new Error(`${url}: ${answer.status}, ${bytes} bytes`)
}
