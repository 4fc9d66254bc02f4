import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chunksProcesses } from './lab/chunks-processes.ts'
import type { Claim } from './lab/claim.ts'
import { startDrover } from './lab/drover.ts'
import type { Lab } from './lab/lab.ts'
import { freePorts } from './lab/ports.ts'
import { cpuTimeOf } from './lab/process-usage.ts'
import { median, tableLines } from './lab/table.ts'

const rounds = 5
const fileBytes = 32 * 2 ** 20
const book = fileURLToPath(new URL('../../examples/texts/opticks.txt', import.meta.url))

/** Letters of a long text, by one backend and by three. */
export const chunksBackends: Claim = {
  name: 'chunks-backends',
  about: 'the chunk service with three backends and with one, on work that needs the processor',
  async run(lab) {
    const text = readFileSync(book)
    const file = Buffer.concat(Array(Math.ceil(fileBytes / text.length)).fill(text))
    const one = await measure(lab, 1, file)
    const three = await measure(lab, 3, file)
    lab.print(`${(file.length / 2 ** 20).toFixed(0)} MiB of text, by letters a to z one by one;`)
    lab.print(`median of ${rounds} rounds; CPU time of each kind of process, all rounds`)
    lab.print()
    const header = ['backends', 'seconds', 'MB/s', 'CPU: front', 'door', 'backends']
    for (const line of tableLines([header, row(1, one, file), row(3, three, file)])) lab.print(line)
    lab.print()
    lab.print(`three against one: ${(one.ms / three.ms).toFixed(2)} ×; goal: ≥ 1.7 ×`)
  },
}

interface Figures {
  readonly ms: number
  /** CPU seconds by the kind of process. */
  readonly cpu: Readonly<Record<string, number>>
}

function row(count: number, { ms, cpu }: Figures, file: Buffer): string[] {
  const seconds = (role: string) => `${(cpu[role] ?? 0).toFixed(1)} s`
  const speed = (file.length / 1_000 / ms).toFixed(0)
  const times = ['front', 'door', 'backend'].map(seconds)
  return [`${count}`, (ms / 1_000).toFixed(2), speed, ...times]
}

async function measure(lab: Lab, backends: number, file: Buffer): Promise<Figures> {
  const [port = 0] = await freePorts(1)
  const data = join(lab.directory, `chunks-${backends}`)
  const where = ['--listen', `127.0.0.1:${port}`, '--data', data, '--backends', `${backends}`]
  const drover = await startDrover(lab, port, ['chunks', 'serve', ...where])
  const url = `http://127.0.0.1:${port}`
  // The first round warms the processes up, and waits for them.
  await time(url, file)
  const processes = chunksProcesses(drover.pid)
  const before = processes.map(({ pid }) => secondsOf(pid))
  const times: number[] = []
  for (let round = 1; round <= rounds; round++) {
    lab.progress(`${backends} backends: round ${round} of ${rounds}`)
    times.push(await time(url, file))
  }
  const cpu: Record<string, number> = {}
  for (const [index, { pid, role }] of processes.entries())
    cpu[role] = (cpu[role] ?? 0) + secondsOf(pid) - (before[index] ?? 0)
  await drover.stop()
  return { ms: median(times), cpu }
}

function secondsOf(pid: number): number {
  const { user, system } = cpuTimeOf(pid)
  return user + system
}

const letters = [...'abcdefghijklmnopqrstuvwxyz'].join(',')

/** Sends the file and waits for what became of it; resolves to the time of the work alone, in ms. */
async function time(url: string, file: Buffer): Promise<number> {
  const query = new URLSearchParams({ by: `letters ${letters}`, as: 'manifest' })
  const sent = await fetch(`${url}/chunks?${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: file as Buffer<ArrayBuffer>,
  })
  const { id } = (await sent.json()) as { id: string }
  for (;;) {
    const answer = await fetch(`${url}/requests/${id}`)
    const view = (await answer.json()) as { state: string; createdAtMs: number; endedAtMs?: number }
    if (view.state === 'failed') throw new Error('the request failed')
    if (view.endedAtMs !== undefined) {
      await fetch(`${url}/requests/${id}`, { method: 'DELETE' })
      return view.endedAtMs - view.createdAtMs
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
