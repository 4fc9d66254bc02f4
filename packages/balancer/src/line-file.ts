import { closeSync, openSync, write } from 'node:fs'
import { type Cancel, type Clock, withDeadline } from '@drover/kernel'
import { fault } from './errors.ts'

const flushMs = 200
/** Text that waits for the disk; what comes on top is left out. */
const pendingCharsMax = 8 * 2 ** 20
/** A disk that hangs is waited for no longer at the end. */
const closeMs = 1_000

/**
 * A log of JSON lines, gathered and written in batches so that nobody waits for the disk. When the
 * disk does not keep up, or is full, lines are left out, and a line says how many.
 */
export class LineFile {
  readonly file: string
  readonly #clock: Clock
  readonly #descriptor: number
  readonly #stopFlushing: Cancel
  #pending: string[] = []
  #pendingChars = 0
  #leftOut = 0
  #writing: Promise<void> | undefined

  /** `file` is a path, or `-` for standard output. Throws PLAN_REFUSED when it cannot be opened. */
  constructor(file: string, clock: Clock) {
    this.file = file
    this.#clock = clock
    this.#descriptor = file === '-' ? 1 : openToAppend(file)
    this.#stopFlushing = clock.every(flushMs, () => this.#flush())
  }

  write(line: string): void {
    if (this.#pendingChars > pendingCharsMax) {
      this.#leftOut++
      return
    }
    this.#pending.push(line)
    this.#pendingChars += line.length
  }

  /** Writes what is left and closes the file; waits for at most a second. */
  async close(): Promise<void> {
    this.#stopFlushing()
    try {
      await withDeadline(`writing ${this.file}`, closeMs, this.#clock, this.#writeRest())
      if (this.#descriptor !== 1) closeSync(this.#descriptor)
    } catch {
      // The disk hangs: what is still written to must stay open.
    }
  }

  async #writeRest(): Promise<void> {
    await this.#writing
    this.#flush()
    await this.#writing
  }

  #flush(): void {
    if (this.#writing || this.#pending.length + this.#leftOut === 0) return
    const lines = this.#pending
    const leftOut = this.#leftOut
    this.#pending = []
    this.#pendingChars = 0
    this.#leftOut = 0
    const told = leftOut > 0 ? [...lines, JSON.stringify({ leftOut })] : lines
    this.#writing = this.#write(Buffer.from(`${told.join('\n')}\n`)).then((isWritten) => {
      this.#writing = undefined
      if (!isWritten) this.#leftOut += lines.length + leftOut
    })
  }

  /** Resolves to whether all of `bytes` was written; a part that was stays in the file. */
  #write(bytes: Buffer): Promise<boolean> {
    return new Promise((resolve) => {
      const next = (at: number): void =>
        write(this.#descriptor, bytes, at, bytes.length - at, null, (error, written) => {
          if (error || written === 0) resolve(false)
          else if (at + written < bytes.length) next(at + written)
          else resolve(true)
        })
      next(0)
    })
  }
}

function openToAppend(file: string): number {
  try {
    return openSync(file, 'a', 0o640)
  } catch (cause) {
    throw fault('PLAN_REFUSED', `access log ${file} cannot be written`, { cause })
  }
}
