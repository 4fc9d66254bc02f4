import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { backoffMs, type Clock, type Service, systemClock, systemRandom } from '@drover/kernel'
import { fault } from './errors.ts'
import type { Topology } from './topology.ts'

/** How the servers of a herd are run. */
export interface RaiseOptions {
  readonly topology: Topology
  /** Returns the program and its arguments that serve one server in the foreground. */
  readonly commandOf: (server: string) => readonly string[]
  /** Told when a server's process starts or ends. */
  readonly onChange: (server: string, what: string) => void
  /** Told the exit code of a server whose first process ended soon; it is started again all the same. */
  readonly onFirstEnd?: (server: string, code: number | null) => void
  readonly clock?: Clock
}

const stopMs = 5_000
/** A process that ends sooner than this never really ran. */
const soonMs = 10_000

/** Returns the herd of a topology: one process per server, each started again when it dies. */
export function raiseHerd(options: RaiseOptions): Service {
  const { topology, clock = systemClock } = options
  const children = new Map<string, ChildProcess>()
  let isRunning = false

  const run = (name: string, attempt: number, isFirst = true): void => {
    if (!isRunning) return
    const [program = '', ...words] = options.commandOf(name)
    // The pipe on standard input ends with this process, and the child with it.
    const child = spawn(program, words, { stdio: ['pipe', 'inherit', 'inherit'] })
    const startedMs = clock.monotonic()
    children.set(name, child)
    child.on('error', () => {}) // 'close' follows.
    child.once('close', (code, signal) => {
      children.delete(name)
      options.onChange(name, `ended with ${signal ?? code}`)
      const isSoon = clock.monotonic() - startedMs <= soonMs
      if (isFirst && isSoon) options.onFirstEnd?.(name, code)
      const next = isSoon ? attempt + 1 : 0
      const waitMs = backoffMs(next, { firstMs: 200, mostMs: 5_000 }, systemRandom)
      clock.after(waitMs, () => run(name, next, false))
    })
    options.onChange(name, `started as process ${child.pid}`)
  }

  return {
    async start() {
      if (topology.servers.length === 0)
        throw fault('TOPOLOGY_INVALID', `${topology.name} has no servers`)
      isRunning = true
      for (const { name } of topology.servers) run(name, 0)
    },
    async stop() {
      isRunning = false
      await Promise.all([...children.values()].map((child) => stopChild(child, clock)))
    },
  }
}

async function stopChild(child: ChildProcess, clock: Clock): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'close')
  child.kill('SIGTERM')
  const insist = clock.after(stopMs, () => child.kill('SIGKILL'))
  await ended
  insist()
}
