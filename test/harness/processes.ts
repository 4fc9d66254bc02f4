import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { until } from './until.ts'

/** A process that runs beside a test. */
export interface Spawned {
  readonly child: ChildProcess
  /** Resolves with the exit code; null after a signal. */
  readonly ended: Promise<number | null>
  /** What it has said so far. */
  output(): string
  /** Resolves as soon as it has said this; throws when it ends before. */
  says(what: string, pattern: RegExp, deadlineMs?: number): Promise<RegExpExecArray>
  /** Sends the signal, if it still runs, and resolves when it has ended. */
  end(signal: NodeJS.Signals): Promise<void>
}

/** Where a process runs, and how it ends with its test. */
export interface SpawnOptions {
  readonly cwd?: string
  /** Beside the environment of the tests. */
  readonly env?: Record<string, string> | undefined
  /** What the test's end sends; SIGTERM if absent. */
  readonly lastSignal?: NodeJS.Signals
}

/** Starts a process that the test's end ends. */
export function spawnBeside(
  context: TestContext,
  program: string,
  words: readonly string[],
  { cwd, env, lastSignal = 'SIGTERM' }: SpawnOptions = {},
): Spawned {
  const child = spawn(program, words, {
    cwd,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  const spawned: Spawned = {
    child,
    ended,
    output: () => said,
    says: (what, pattern, deadlineMs) =>
      until(
        what,
        () => {
          const found = pattern.exec(said)
          if (found === null && child.exitCode !== null)
            throw new Error(`it ended with ${child.exitCode}:\n${said}`)
          return found
        },
        deadlineMs,
      ),
    async end(signal) {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal)
      await ended
    },
  }
  context.after(() => spawned.end(lastSignal))
  return spawned
}

/** What a process that ends by itself said, and its exit code. */
export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Where a process that ends by itself runs, and how long it may. */
export interface RunOptions {
  readonly cwd?: string
  /** Beside the environment of the tests. */
  readonly env?: Record<string, string>
  /** Its standard input; none if absent. */
  readonly input?: string
  /** Then it is killed; 20 s if absent. */
  readonly timeoutMs?: number
}

/** Runs a process to its end, or kills it. */
export async function runToEnd(
  program: string,
  words: readonly string[],
  { cwd, env, input, timeoutMs = 20_000 }: RunOptions = {},
): Promise<Ran> {
  const child = spawn(program, words, {
    cwd,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  })
  // One that does not read its input may have closed it already.
  child.stdin?.on('error', () => {}).end(input)
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text
    })
  const [code] = await once(child, 'close')
  return { code, ...texts }
}
