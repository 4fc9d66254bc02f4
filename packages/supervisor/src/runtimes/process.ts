import { type ChildProcess, spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { basename } from 'node:path'
import { type Clock, describeError } from '@drover/kernel'
import { fault } from '../errors.ts'
import { readOutput } from '../flow.ts'
import { isTaken, type Ports } from '../ports.ts'
import { listProcesses } from '../processes.ts'
import {
  describeExit,
  type Ending,
  fillIn,
  type Instance,
  type Runtime,
  replicaEnv,
  type SpawnOrder,
} from '../runtime.ts'

const host = '127.0.0.1'

/** How often the rest of a process group is looked at while it ends, in ms. */
const lookEveryMs = 25
const closerLookEvery = 8

/** After SIGKILL only a process stuck in the kernel stays; it is given up after this, in ms. */
const killTimeoutMs = 5_000

/** A replica that dies by itself sooner than this may have found its port taken, in ms. */
const youngMs = 5_000

/** What the process runtime needs. */
export interface ProcessParts {
  readonly clock: Clock
  readonly ports: Ports
  /** Marks all that descends from a replica, in its environment, so that it is found again. */
  readonly mark: (replicaId: string) => Record<string, string>
  /** Called with each process group that runs, and when it has ended. */
  readonly onGroup: (pid: number, alive: boolean) => void
  /** Ends what left its process group but descends from the replica. */
  readonly sweep: (replicaId: string) => Promise<void>
}

/** Returns the runtime that starts replicas as processes, each the leader of its own process group. */
export function createProcessRuntime(parts: ProcessParts): Runtime {
  const sweeps = new Set<Promise<void>>()
  const track = (sweep: Promise<void>) => {
    sweeps.add(sweep)
    void sweep.finally(() => sweeps.delete(sweep))
  }
  return {
    spawn: (order) => spawnProcess(order, parts, track),
    async settle() {
      await Promise.all(sweeps)
    },
    close() {},
  }
}

async function spawnProcess(
  order: SpawnOrder,
  parts: ProcessParts,
  track: (sweep: Promise<void>) => void,
): Promise<Instance> {
  const port = await parts.ports.take()
  let child: ChildProcess
  try {
    child = await startProgram(order, port, parts)
  } catch (error) {
    parts.ports.release(port)
    throw error
  }
  const group = new ProcessGroup(child, parts.clock)
  parts.onGroup(group.pid, true)
  const ended = group.ended.then(async (reason): Promise<Ending> => {
    parts.onGroup(group.pid, false)
    track(parts.sweep(order.id))
    const portTaken = group.diedYoung && (await isTaken(port))
    parts.ports.release(port)
    return { reason, portTaken }
  })
  return {
    host,
    port,
    pid: group.pid,
    container: undefined,
    ended,
    signal: (name) => group.signal(name),
    kill: () => group.kill(),
  }
}

/** Resolves when the program runs; rejects with SPAWN_FAILED that says what is missing. */
function startProgram(
  order: SpawnOrder,
  port: number,
  { clock, mark }: ProcessParts,
): Promise<ChildProcess> {
  const { runtime } = order.spec
  if (runtime.kind !== 'process') throw new TypeError(`${runtime.kind} is not a process`)
  const [program = '', ...words] = fillIn(runtime.command, order, port)
  const child = spawn(program, words, {
    ...(runtime.cwd === undefined ? {} : { cwd: runtime.cwd }),
    // Replicas see what their supervisor sees (PATH, HOME, ...), as under any shell.
    env: { ...process.env, ...replicaEnv(order, host, port), ...mark(order.id) },
    stdio: ['ignore', 'pipe', 'pipe', ...(isNode(program) ? ['ipc' as const] : [])],
    detached: true,
  })
  if (child.stdout) readOutput(child.stdout, (chunk) => order.output('stdout', chunk), clock)
  if (child.stderr) readOutput(child.stderr, (chunk) => order.output('stderr', chunk), clock)
  child.on('message', (message) => {
    if (message === 'ready') order.onReady()
  })
  return new Promise((resolve, reject) => {
    child.once('spawn', () => resolve(child))
    child.once('error', (cause) => reject(cannotStart(program, runtime.cwd, cause)))
  })
}

/**
 * Only a node program is given a channel: others would pass its number on in the environment to node
 * programs that then look for a channel which they do not have, and die.
 */
function isNode(program: string): boolean {
  return program === process.execPath || /^node(js)?$/.test(basename(program))
}

function cannotStart(program: string, cwd: string | undefined, cause: Error) {
  const code = (cause as NodeJS.ErrnoException).code
  if (cwd !== undefined && !statSync(cwd, { throwIfNoEntry: false })?.isDirectory())
    return fault('SPAWN_FAILED', `the folder "${cwd}" does not exist`, { cause })
  if (code === 'ENOENT')
    return fault('SPAWN_FAILED', `the program "${program}" was not found`, { cause })
  if (code === 'EACCES')
    return fault('SPAWN_FAILED', `the program "${program}" may not be run`, { cause })
  return fault('SPAWN_FAILED', `"${program}" could not be started: ${describeError(cause)}`, {
    cause,
  })
}

/**
 * A replica's process group. It has ended when its leader has; the rest is then killed at once, but
 * after a stop signal it may finish first: `sh -c "server & wait"` dies before its server does.
 */
class ProcessGroup {
  readonly pid: number
  /** How it ended. Never rejects. */
  readonly ended: Promise<string>
  /** It was told to end, so its end is no surprise. */
  #signalled = false
  readonly #clock: Clock
  readonly #startedAtMs: number
  #killedAtMs: number | undefined

  constructor(child: ChildProcess, clock: Clock) {
    this.pid = child.pid ?? 0
    this.#clock = clock
    this.#startedAtMs = clock.monotonic()
    this.ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        void this.#rest().then(() => resolve(describeExit(code, signal)))
      })
    })
  }

  signal(name: NodeJS.Signals): void {
    this.#signalled = true
    this.#send(name)
  }

  kill(): void {
    this.#signalled = true
    this.#sendKill()
  }

  #sendKill(): void {
    this.#killedAtMs = this.#clock.monotonic()
    this.#send('SIGKILL')
  }

  /** It died by itself within the time in which a program finds its port taken. */
  get diedYoung(): boolean {
    return !this.#signalled && this.#clock.monotonic() - this.#startedAtMs < youngMs
  }

  /** Waits for the rest of the group; without a stop signal it is killed, which takes no time. */
  async #rest(): Promise<void> {
    if (!this.#signalled) this.#sendKill()
    for (let looks = 1; this.#send(0) && !this.#givenUp(); looks++) {
      // Zombies take signals too, where nobody waits for them; looking for those costs more.
      if (looks % closerLookEvery === 0 && !(await hasLiving(this.pid))) return
      await this.#clock.sleep(lookEveryMs)
    }
  }

  #givenUp(): boolean {
    return (
      this.#killedAtMs !== undefined && this.#clock.monotonic() - this.#killedAtMs > killTimeoutMs
    )
  }

  /** Returns false when no process of the group is left. */
  #send(signal: NodeJS.Signals | 0): boolean {
    try {
      return process.kill(-this.pid, signal)
    } catch {
      return false
    }
  }
}

/** Resolves to whether a process of the group is more than a zombie. */
async function hasLiving(group: number): Promise<boolean> {
  return (await listProcesses()).some((entry) => entry.group === group && !entry.zombie)
}
