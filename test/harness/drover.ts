import type { ChildProcess } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { parentOf } from './process-tree.ts'
import { type Ran, type RunOptions, runToEnd, spawnBeside } from './processes.ts'
import { bin } from './project.ts'
import { until } from './until.ts'

/** A running drover of a test. */
export interface RunningDrover {
  readonly child: ChildProcess
  /** Its folder, which is its working directory and holds its data folder. */
  readonly folder: string
  /** URL of its admin API. */
  readonly admin: string
  /** What it has said so far. */
  output(): string
  /** URL of its first listener. */
  url(): Promise<string>
  status(): Promise<Status>
  /** Calls the admin API; throws for an answer that is not 2xx. */
  post(path: string, body?: unknown): Promise<Response>
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>
}

/** As much of `GET /v1/status` as tests look at. */
export interface Status {
  readonly listeners: readonly { readonly url: string }[]
  readonly services: readonly {
    readonly name: string
    readonly policy: string
    readonly wanted: number
    readonly available: number
    readonly replicas: readonly Replica[]
  }[]
}

export interface Replica {
  readonly id: string
  readonly name: string
  readonly state: string
  readonly reason: string
  readonly pid: number
  readonly address: string
  readonly weight: number
  readonly inFlight: number
  readonly requestsTotal: number
  readonly failuresTotal: number
}

const folders = new Set<string>()
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** Returns a folder that is removed when the file's tests are over, and all that runs there has stopped. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'drover-test-'))
  folders.add(folder)
  return folder
}

/** What `balance` is told in every test: free ports, and no colours. */
export const anyPort = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0']

/** How a test starts drover. */
export interface StartOptions {
  /** Where it runs; a folder of its own if absent. */
  readonly folder?: string
  readonly env?: Record<string, string>
  /** What its admin API wants to see. */
  readonly token?: string
  /** Flags of node itself. */
  readonly nodeFlags?: readonly string[]
}

/**
 * Runs the command in a folder of its own and resolves when its admin API listens and every
 * replica that it should have gets requests. The test's end stops it.
 */
export async function startDrover(
  context: TestContext,
  words: readonly string[],
  options: StartOptions = {},
): Promise<RunningDrover> {
  const folder = options.folder ?? (await temporaryFolder())
  const line = [...(options.nodeFlags ?? []), bin, ...words]
  const { env } = options
  const spawned = spawnBeside(context, process.execPath, line, { cwd: folder, env })
  const { child, output } = spawned
  const admin = await until('the admin API listens', async () => {
    if (child.exitCode !== null)
      throw new Error(`drover ended with ${child.exitCode}:\n${output()}`)
    return adminOf(folder, child.pid)
  })
  const drover = connect({ ...spawned, folder, admin }, options.token)
  await until('every replica gets requests', async () => {
    const { services } = await drover.status()
    return services.every(({ available, wanted }) => available >= wanted)
  })
  return drover
}

/** Where the admin API of the process `pid` (or of its child) is, as soon as it has said so. */
async function adminOf(folder: string, pid: number | undefined): Promise<string | undefined> {
  try {
    const run = JSON.parse(await readFile(join(folder, '.drover', 'run.json'), 'utf8'))
    return run.pid === pid || parentOf(run.pid) === pid ? run.admin : undefined
  } catch {
    // Not there yet, or being written.
    return undefined
  }
}

type Started = Pick<RunningDrover, 'child' | 'folder' | 'admin' | 'ended' | 'output'>

function connect(started: Started, token: string | undefined): RunningDrover {
  const { admin } = started
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const drover: RunningDrover = {
    ...started,
    async url() {
      const { listeners } = await drover.status()
      return listeners[0]?.url ?? ''
    },
    async status() {
      const response = await fetch(`${admin}/v1/status`, { headers })
      return (await response.json()) as Status
    },
    async post(path, body = {}) {
      const response = await fetch(`${admin}${path}`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
      return response
    },
  }
  return drover
}

/** Returns the replicas of the first service that get requests now. */
export async function readyReplicas(drover: RunningDrover): Promise<readonly Replica[]> {
  const { services } = await drover.status()
  const replicas = services[0]?.replicas ?? []
  return replicas.filter(({ state }) => state === 'ready' || state === 'suspect')
}

/** Runs the command to its end, or kills it. */
export const runDrover = (words: readonly string[], options?: RunOptions): Promise<Ran> =>
  runToEnd(process.execPath, [bin, ...words], options)

/** Holds while a process of this number lives (a zombie does not). */
export async function lives(pid: number): Promise<boolean> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z'
  } catch {
    // No such process.
    return false
  }
}
