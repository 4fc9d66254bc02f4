import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryFolder } from './drover.ts'
import { descendantsOf } from './process-tree.ts'
import { spawnBeside } from './processes.ts'
import { bin } from './project.ts'
import { until } from './until.ts'

/** A chunk service of a test, with all its processes. */
export interface ChunkService {
  readonly child: ChildProcess
  readonly folder: string
  readonly url: string
  readonly ended: Promise<number | null>
  /** Its processes by what they do, as of now. */
  pids(role: Role): number[]
  /** The requests as every client sees them, as soon as a front answers. */
  requests(): Promise<RequestView[]>
}

export type Role = 'serve' | 'front' | 'backend' | 'door'

/** As much of a request as tests look at. */
export interface RequestView {
  readonly id: string
  readonly name: string
  readonly state: string
  readonly progress: number
  readonly place?: number
  readonly error?: { readonly code: string; readonly message: string }
}

/** Runs `drover chunks serve` until the test's end and resolves when it takes requests. */
export async function startChunkService(
  context: TestContext,
  options: { readonly folder?: string; readonly port?: number; readonly words?: string[] } = {},
): Promise<ChunkService> {
  const folder = options.folder ?? (await temporaryFolder())
  const where = ['--listen', `127.0.0.1:${options.port ?? 0}`, '--data', join(folder, 'data')]
  const words = [bin, 'chunks', 'serve', ...where, ...(options.words ?? [])]
  const { child, ended, says } = spawnBeside(context, process.execPath, words, {
    cwd: folder,
    lastSignal: 'SIGKILL',
  })
  const [url] = await says('the service says where it is', /http:\S+:\d+/)
  const pid = child.pid ?? 0
  const requests = () =>
    until('a front lists the requests', async () => {
      const answer = await fetch(`${url}/requests`)
      return answer.ok && ((await answer.json()) as RequestView[])
    })
  await until('the front takes requests', async () => (await fetch(`${url}/healthz`)).ok)
  return { child, folder, url, ended, requests, pids: (role) => pidsOf(pid, role) }
}

/** The processes under `pid` that do this, those that live. */
function pidsOf(pid: number, role: Role): number[] {
  return descendants(pid).filter((member) => {
    const words = wordsOf(member)
    if (role === 'serve') return member === pid
    if (role === 'door') return words.some((word) => word.includes('/door/'))
    return role === 'front' ? words.includes('--backends-url') : words.includes('backend')
  })
}

function wordsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    // It has ended.
    return []
  }
}

/** The process and all below it. */
export const descendants = (pid: number): number[] => [pid, ...descendantsOf(pid)]

/** About `bytes` of text, the same each time: sentences of words of two to nine letters. */
export function makeText(bytes: number): Buffer {
  let state = 12_345
  const next = (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return Math.floor((state / 2 ** 31) * below)
  }
  const letters = 'etaoinshrdlucmfwypvbgkjqxz'
  const words = Array.from({ length: 2_000 }, () =>
    Array.from({ length: 2 + next(8) }, () => letters[Math.min(next(26), next(26))]).join(''),
  )
  const parts: string[] = []
  for (let length = 0; length < bytes; ) {
    const sentence = Array.from({ length: 3 + next(20) }, () => words[next(2_000)]).join(' ')
    parts.push(sentence, next(6) === 0 ? '.\n\n' : '. ')
    length += sentence.length + 2
  }
  return Buffer.from(parts.join(''))
}

/** Sends a file to be chunked; resolves to the id of its request. */
export async function submit(
  { url }: ChunkService,
  text: Buffer,
  query: Record<string, string>,
): Promise<string> {
  const answer = await fetch(`${url}/chunks?${new URLSearchParams(query)}`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: text as Buffer<ArrayBuffer>,
  })
  const { id, detail } = (await answer.json()) as { id: string; detail?: string }
  if (!answer.ok) throw new Error(`${answer.status}: ${detail}`)
  return id
}

/** Resolves to the bytes of a result as soon as it is there. */
export async function resultOf(service: ChunkService, id: string): Promise<Buffer> {
  await until(
    'the request ends',
    async () => {
      const own = (await service.requests()).find((request) => request.id === id)
      if (own?.state === 'failed') throw new Error(own.error?.message)
      return own?.state === 'done'
    },
    120_000,
  )
  const answer = await fetch(`${service.url}/requests/${id}/result`)
  return Buffer.from(await answer.arrayBuffer())
}
