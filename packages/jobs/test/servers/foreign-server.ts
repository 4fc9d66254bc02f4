import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { until } from '../until.ts'

/** A server of a test, over data of its own that outlives its process. */
export interface ForeignServer {
  /** How clients reach it. */
  readonly url: string
  /** Starts it, or starts it again, and resolves when it answers. */
  start(): Promise<void>
  /** Ends it by its process id, and resolves when it is gone. */
  end(signal?: NodeJS.Signals): Promise<void>
  /** Ends it and removes its data. */
  close(): Promise<void>
}

/** What is run, and how one finds out that it answers. */
export interface Program {
  readonly file: string
  readonly words: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly as?: { readonly uid: number; readonly gid: number } | undefined
  readonly answers: () => Promise<boolean> | boolean
}

/** Starts of a program that ends again at once. */
const startsMax = 100

/** Returns the starting and ending of a program; one that does not end is killed after 15 s. */
export function runnable({ file, words, env = {}, as, answers }: Program) {
  let child: ChildProcess | undefined
  let ended: Promise<unknown> = Promise.resolve()
  let said = ''
  const gone = () => !child || child.exitCode !== null || child.signalCode !== null
  const run = () => {
    const own = spawn(file, words, {
      ...{ env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
      ...as,
    })
    child = own
    ended = once(own, 'exit').catch(() => {})
    for (const stream of [own.stdout, own.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-4_000)
      })
  }
  return {
    async start() {
      let starts = 0
      const started = async () => {
        // One that was killed may have left children that keep its successor from starting.
        if (gone() && starts++ > startsMax) throw new Error(`${file} ended at its start: ${said}`)
        if (gone()) run()
        return await answers()
      }
      await until(`the start of ${file}`, started, 90_000)
    },
    async end(signal: NodeJS.Signals = 'SIGTERM') {
      if (gone()) return
      child?.kill(signal)
      const late = setTimeout(() => child?.kill('SIGKILL'), 15_000)
      await ended
      clearTimeout(late)
    },
  }
}

/**
 * Returns ports that were free a moment ago, all different. They lie below those that the system gives
 * to connections going out, or such a one might have a server's port when it is started again.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  for (let attempt = 0; ports.size < count && attempt < 1_000; attempt++) {
    const port = 10_000 + Math.floor(Math.random() * 10_000)
    if (await isFree(port)) ports.add(port)
  }
  return [...ports]
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return true
  } catch {
    // Somebody has it.
    return false
  } finally {
    server.close()
  }
}
