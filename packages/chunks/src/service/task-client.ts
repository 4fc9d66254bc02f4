import { backoffMs, type Clock, Fault, fromProblem, type Random } from '@drover/kernel'
import { fault } from '../errors.ts'
import { decodeFrame, encodeFrame } from './frame.ts'
import type { Task } from './tasks.ts'

/** How tasks are sent. */
export interface TaskClientOptions {
  /** Of the front door before the backends, or of one backend. */
  readonly url: string
  readonly clock: Clock
  readonly random: Random
  /** Tasks under way at one time; each holds its segment in memory. */
  readonly window: number
  /** How long one attempt may take, in ms. */
  readonly attemptMs: number
  /** How long a task is tried in all, in ms: backends that are busy or die are waited for. */
  readonly deadlineMs: number
}

/** Sends tasks to whichever backend takes them; a task is repeated until one answers. */
export class TaskClient {
  readonly #options: TaskClientOptions
  readonly #waiting: (() => void)[] = []
  #free: number
  /** Attempts that were repeated, for those who want to see it. */
  repeated = 0

  constructor(options: TaskClientOptions) {
    this.#options = options
    this.#free = options.window
  }

  /** How many tasks may run at one time. */
  get window(): number {
    return this.#options.window
  }

  /** Resolves to the answer. Throws what the backend refuses for good, and TASK_FAILED. */
  async run(task: Task, payload: readonly Uint8Array[], signal: AbortSignal) {
    await this.#enter()
    try {
      return decodeFrame(await this.#try(encodeFrame(task, payload), signal))
    } finally {
      this.#leave()
    }
  }

  async #try(frame: Buffer, signal: AbortSignal): Promise<Buffer> {
    const { clock, random, deadlineMs } = this.#options
    const startMs = clock.monotonic()
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#send(frame, signal)
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof Fault && error.retry === 'never') throw error
        if (clock.monotonic() - startMs > deadlineMs)
          throw fault('TASK_FAILED', 'no backend did a task in time', { cause: error })
        this.repeated++
        await clock.sleep(20 + backoffMs(attempt, { firstMs: 50, mostMs: 1_000 }, random), signal)
      }
    }
  }

  async #send(frame: Buffer, signal: AbortSignal): Promise<Buffer> {
    const { url, attemptMs } = this.#options
    const answer = await fetch(new URL('/tasks', url), {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: frame as Uint8Array<ArrayBuffer>,
      signal: AbortSignal.any([signal, AbortSignal.timeout(attemptMs)]),
    })
    const bytes = Buffer.from(await answer.arrayBuffer())
    if (answer.status === 200) return bytes
    throw problemOf(answer.status, bytes)
  }

  #enter(): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free--
      return undefined
    }
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #leave(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free++
  }
}

/** What the backend, or the door before it, complained of. A door's own answers may be tried again. */
function problemOf(status: number, bytes: Buffer): Error {
  try {
    const known = fromProblem(JSON.parse(bytes.toString()))
    if (known && (status < 500 || known.retry !== 'never')) return known
  } catch {
    // Something between us and the backend answered in words of its own.
  }
  return fault('TASK_FAILED', `a backend answered ${status}`)
}
