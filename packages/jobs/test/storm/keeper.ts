import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A process that ends by itself, at its start for instance, is started again after so long, in ms. */
const againMs = 200

interface Kept {
  child: ChildProcess
  up: boolean
}

/** Keeps processes alive until it is stopped, and kills them when it is told to. */
export class Keeper {
  readonly #kept = new Map<string, Kept>()
  readonly #crashes: string[] = []
  #stopping = false

  /** Who ended by itself after it was up, and how: nobody should. */
  get crashes(): readonly string[] {
    return this.#crashes
  }

  /**
   * Starts `program` (a file beside this one) under a name; resolves when it says that it is up. What
   * it writes to standard error is added to the file `errors`.
   */
  async start(
    name: string,
    program: string,
    words: readonly string[],
    errors: string,
  ): Promise<void> {
    const file = fileURLToPath(new URL(program, import.meta.url))
    const { promise, resolve } = Promise.withResolvers<void>()
    const run = () => {
      if (this.#stopping) return
      const output = openSync(errors, 'a')
      const child = fork(file, words, { execArgv: [], stdio: ['ignore', 'ignore', output, 'ipc'] })
      closeSync(output)
      const kept = { child, up: false }
      this.#kept.set(name, kept)
      child.on('message', () => {
        kept.up = true
        resolve()
      })
      child.on('exit', (code, signal) => {
        if (kept.up && signal !== 'SIGKILL') this.#crashes.push(`${name} ended with ${code}`)
        setTimeout(run, againMs)
      })
    }
    run()
    await promise
  }

  /** The names of those that are up now. */
  up(): readonly string[] {
    return [...this.#kept].filter(([, { up, child }]) => up && isAlive(child)).map(([name]) => name)
  }

  /** Kills without a warning; it is started again. */
  kill(name: string): void {
    this.#kept.get(name)?.child.kill('SIGKILL')
  }

  async stop(): Promise<void> {
    this.#stopping = true
    const alive = [...this.#kept.values()].map(({ child }) => child).filter(isAlive)
    const ended = alive.map((child) => once(child, 'exit'))
    for (const child of alive) child.kill('SIGKILL')
    await Promise.all(ended)
  }
}

function isAlive({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null
}
