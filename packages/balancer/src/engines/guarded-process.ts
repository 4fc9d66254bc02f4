import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import type { Clock } from '@drover/kernel'
import { fault } from '../errors.ts'

/** Whom a guarded process tells. */
export interface GuardedListener {
  /** A line of its standard output or error, at most 8 KiB. */
  onLine(line: string): void
  /** It has ended, by itself or not, and nothing of it is left. */
  onExit(how: string): void
}

const lineCharsMax = 8_192
const dyingMs = 10

/**
 * The shell runs the program ($@) and says its number on descriptor 3. The other end of 3 is open in
 * this process only: however this process ends, `cat` sees it, and the whole group is killed.
 */
const script = `
"$@" 3>&- &
child=$!
echo "$child" >&3
( exec >/dev/null 2>&1; cat <&3; kill -KILL 0 ) &
guard=$!
wait "$child"
code=$?
kill -KILL "$guard" 2>/dev/null
exit "$code"
`

/** A server program that never outlives this process, not even when that is killed. */
export class GuardedProcess {
  readonly #shell: ChildProcess
  readonly #ended: Promise<void>
  #pid = 0

  private constructor(shell: ChildProcess, listener: GuardedListener, clock: Clock) {
    this.#shell = shell
    followLines(shell.stdout, (line) => listener.onLine(line))
    followLines(shell.stderr, (line) => listener.onLine(line))
    this.#ended = new Promise((resolve) => {
      shell.once('exit', (code, signal) => {
        this.#control().destroy()
        void this.#sweep(clock).then(() => {
          resolve()
          listener.onExit(signal ?? `code ${code}`)
        })
      })
    })
  }

  /** Starts the program; resolves when it runs. Throws ENGINE_FAILED. */
  static async start(
    command: readonly string[],
    listener: GuardedListener,
    clock: Clock,
  ): Promise<GuardedProcess> {
    const shell = spawn('/bin/sh', ['-c', script, 'drover-engine', ...command], {
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      detached: true,
    })
    const started = new GuardedProcess(shell, listener, clock)
    started.#pid = await started.#childPid()
    return started
  }

  /** Sends a signal to the program itself; one that has ended already is no matter. */
  signal(signal: NodeJS.Signals): void {
    if (this.#shell.exitCode !== null || this.#shell.signalCode !== null) return
    send(this.#pid, signal)
  }

  /** Asks the program by a signal to end within `graceMs`, then kills it; resolves when it has ended. */
  async end(signal: NodeJS.Signals, graceMs: number, clock: Clock): Promise<void> {
    this.signal(signal)
    const cancel = clock.after(graceMs, () => this.kill())
    await this.#ended
    cancel()
  }

  /** Kills the program and everything that it started. */
  kill(): void {
    this.#send('SIGKILL')
  }

  /** Workers may have survived the one who ran them; killed, they let go of their ports soon. */
  async #sweep(clock: Clock): Promise<void> {
    if (this.#send('SIGKILL')) await clock.sleep(dyingMs)
  }

  /** Signals the whole group; returns false when there is none any more. */
  #send(signal: NodeJS.Signals): boolean {
    return this.#shell.pid !== undefined && send(-this.#shell.pid, signal)
  }

  #control(): Readable & Writable {
    return this.#shell.stdio[3] as Readable & Writable
  }

  #childPid(): Promise<number> {
    return new Promise((resolve, reject) => {
      const control = this.#control()
      const fail = (cause?: unknown) =>
        reject(fault('ENGINE_FAILED', 'the engine could not be started', { cause }))
      control.once('data', (text: Buffer) => resolve(Number(text.toString())))
      control.on('error', fail)
      this.#shell.once('error', fail)
      this.#shell.once('exit', () => fail())
    })
  }
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    // ESRCH: it has ended already.
    return false
  }
}

function followLines(stream: Readable | null, onLine: (line: string) => void): void {
  let rest = ''
  stream?.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n')
    rest = (lines.pop() ?? '').slice(0, lineCharsMax)
    for (const line of lines) onLine(line.slice(0, lineCharsMax))
  })
}
