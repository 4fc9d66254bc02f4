import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const bin = fileURLToPath(new URL('../../../../drover/bin/drover.js', import.meta.url))
const startMsMax = 60_000

/** A real instance in a process of its own, with its folder under the system's temporary one. */
export interface RunningDrover {
  /** Where the admin API and the page are. */
  readonly url: string
  readonly folder: string
  readonly token: string | undefined
  get<Answer>(path: string): Promise<Answer>
  post<Answer>(path: string, body?: unknown): Promise<Answer>
  /** Ends it with SIGTERM and waits; `start` runs it again on the same port. */
  stop(): Promise<void>
  start(): Promise<void>
}

/** As much of drover.yaml as tests say. */
interface Config {
  readonly services: Readonly<Record<string, unknown>>
  readonly listeners?: readonly unknown[]
}

/**
 * Starts `config` (as drover.yaml has it; JSON is YAML) and stops it after the test. Without listeners
 * it gets one on a free port, for its first service: the default would be a fixed port.
 */
export async function startDrover(
  t: TestContext,
  config: Config,
  token?: string,
): Promise<RunningDrover> {
  const folder = mkdtempSync(join(tmpdir(), 'drover-page-'))
  const file = join(folder, 'drover.yaml')
  let child: ChildProcess | undefined
  let url = ''
  const start = async () => {
    const address = url === '' ? '127.0.0.1:0' : new URL(url).host
    const admin = { address, ...(token === undefined ? {} : { token }) }
    const [service] = Object.keys(config.services)
    const listeners = config.listeners ?? [{ address: '127.0.0.1:0', service }]
    writeFileSync(file, JSON.stringify({ data: '.drover', admin, ...config, listeners }))
    child = spawn(process.execPath, [bin, 'up', '-c', file], { cwd: folder })
    url = await adminUrl(child, folder)
  }
  const stop = async () => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
  }
  t.after(async () => {
    await stop()
    rmSync(folder, { recursive: true, force: true })
  })
  await start()
  const ask = async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(new URL(path, url), {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    const text = await answer.text()
    return text === '' ? undefined : JSON.parse(text)
  }
  return {
    get url() {
      return url
    },
    folder,
    token,
    get: (path) => ask('GET', path),
    post: (path, body = {}) => ask('POST', path, body),
    stop,
    start,
  }
}

/** Resolves to the admin API's address, which the instance notes in its data folder. */
async function adminUrl(child: ChildProcess, folder: string): Promise<string> {
  let told = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      told += chunk
    })
  const read = () => {
    if (child.exitCode !== null) throw new Error(`drover ended with ${child.exitCode}:\n${told}`)
    try {
      const run = JSON.parse(readFileSync(join(folder, '.drover', 'run.json'), 'utf8'))
      return run.pid === child.pid ? (run.admin as string) : undefined
    } catch {
      // Not there yet, or being written.
      return undefined
    }
  }
  await until('the admin API', read, startMsMax)
  return read() ?? ''
}

/** Waits until `done` holds; it is asked again and again. */
export async function until(what: string, done: () => unknown, mostMs = 30_000): Promise<void> {
  const endMs = Date.now() + mostMs
  for (;;) {
    if (await done()) return
    if (Date.now() > endMs) throw new Error(`not within ${mostMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
