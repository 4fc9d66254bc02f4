import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { findProgram } from './programs.ts'

/** Ends something that a measurement started. */
export type Stop = () => Promise<void> | void

/**
 * Where one measurement runs: a folder of its own, cores to pin things to, and the list of what has
 * to be stopped at the end, whichever way the end comes.
 */
export class Lab {
  readonly directory: string
  /** The core of what is measured; undefined where processes cannot be pinned. */
  readonly measuredCore: number | undefined
  /** The core of load and upstreams. */
  readonly loadCore: number | undefined
  readonly #stops: Stop[] = []
  #isClosed = false

  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'drover-bench-'))
    const canPin = availableParallelism() > 1 && findProgram('taskset') !== undefined
    this.loadCore = canPin ? 0 : undefined
    this.measuredCore = canPin ? 1 : undefined
  }

  print(line = ''): void {
    process.stdout.write(`${line}\n`)
  }

  /** Shows what is going on, on a line that the next one overwrites; nothing when not on a screen. */
  progress(text: string): void {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
  }

  /** Throws once the measurement is over, so that nothing is started that nobody would stop. */
  checkOpen(): void {
    if (this.#isClosed) throw new Error('the measurement was stopped')
  }

  /** Has `stop` called when the measurement ends; the last one comes first. */
  onStop(stop: Stop): void {
    this.#stops.push(stop)
  }

  /** Stops everything that was started and removes the folder. May be called twice. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.progress('')
    for (let stop = this.#stops.pop(); stop; stop = this.#stops.pop()) await stop()
    rmSync(this.directory, { recursive: true, force: true })
  }
}
