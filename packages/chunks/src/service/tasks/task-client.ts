import { Agent, type IncomingMessage, request } from 'node:http'
import { backoffMs, type Clock, Fault, fromProblem, type Random } from '@drover/kernel'
import { fault } from '../../errors.ts'
import { segmentBytes, wordBytesMax } from '../../options.ts'
import { BufferPool } from '../buffer-pool.ts'
import { readBody } from '../read-body.ts'
import { decodeFrame, encodeHead } from './frame.ts'
import type { Task } from './tasks.ts'

/** How tasks are sent. */
export interface TaskClientOptions {
  /** Of the front door before the backends, or of one backend. */
  readonly url: string
  readonly clock: Clock
  readonly random: Random
  /** Tasks under way at one time; each holds its segment in memory. */
  readonly window: number
  /** How long the first attempt may take, in ms; each further one may take twice as long. */
  readonly firstAttemptMs: number
  /** How long a task is tried in all, in ms: backends that are busy or die are waited for. */
  readonly deadlineMs: number
}

/** What a backend answered. */
export interface TaskAnswer {
  readonly head: Record<string, unknown>
  /** Good until `release`. */
  readonly payload: Buffer
  /** Gives the memory back; an answer that is kept is never released. */
  release(): void
}

/** An answer that begins; `end` is called when it has been read. */
interface Asked {
  readonly answer: IncomingMessage
  end(): void
}

/** The largest answer, in bytes: the words of one letter of a word list. */
const answerBytesMax = 64 * 2 ** 20

/** Sends tasks to whichever backend takes them; a task is repeated until one answers. */
export class TaskClient {
  /** Buffers for segments and answers. */
  readonly pool: BufferPool
  readonly #options: TaskClientOptions
  readonly #agent: Agent
  readonly #waiting: (() => void)[] = []
  #free: number
  /** Attempts that were repeated, for those who want to see it. */
  repeated = 0

  constructor(options: TaskClientOptions) {
    this.#options = options
    this.#free = options.window
    this.#agent = new Agent({ keepAlive: true, maxSockets: options.window })
    this.pool = new BufferPool(segmentBytes + 2 * wordBytesMax, 2 * options.window)
  }

  /** How many tasks run now. */
  get running(): number {
    return this.#options.window - this.#free
  }

  /** How many tasks may run at one time. */
  get window(): number {
    return this.#options.window
  }

  /** Resolves to the answer. Throws what the backend refuses for good, and TASK_FAILED. */
  async run(task: Task, payload: readonly Uint8Array[], signal: AbortSignal): Promise<TaskAnswer> {
    await this.#enter()
    try {
      return await this.#try([encodeHead(task), ...payload], signal)
    } finally {
      this.#leave()
    }
  }

  /** Closes the connections. */
  close(): void {
    this.#agent.destroy()
  }

  async #try(frame: readonly Uint8Array[], signal: AbortSignal): Promise<TaskAnswer> {
    const { clock, random, deadlineMs, firstAttemptMs } = this.#options
    const startMs = clock.monotonic()
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#send(frame, firstAttemptMs * 2 ** Math.min(attempt, 5), signal)
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

  async #send(
    frame: readonly Uint8Array[],
    attemptMs: number,
    signal: AbortSignal,
  ): Promise<TaskAnswer> {
    signal.throwIfAborted()
    const { answer, end } = await this.#ask(frame, attemptMs, signal)
    if (answer.statusCode !== 200) throw await problemOf(answer).finally(end)
    const { whole, bytes } = await this.#read(answer).finally(end)
    const release = () => this.pool.give(whole)
    return { ...decodeFrame(bytes), release }
  }

  async #read(answer: IncomingMessage) {
    try {
      return await readBody(answer, this.pool, answerBytesMax)
    } catch (error) {
      // An answer that is left unread would keep its connection from every other task.
      answer.destroy()
      throw error
    }
  }

  #ask(frame: readonly Uint8Array[], attemptMs: number, signal: AbortSignal): Promise<Asked> {
    const { url, clock } = this.#options
    const length = frame.reduce((sum, part) => sum + part.length, 0)
    return new Promise((resolve, reject) => {
      const asked = request(new URL('/tasks', url), {
        method: 'POST',
        agent: this.#agent,
        headers: { 'content-type': 'application/octet-stream', 'content-length': length },
      })
      const late = () => asked.destroy(new Error(`no answer within ${attemptMs} ms`))
      const cancel = clock.after(attemptMs, late)
      const abort = () => asked.destroy(new Error('the task was given up'))
      signal.addEventListener('abort', abort)
      const end = () => {
        cancel()
        signal.removeEventListener('abort', abort)
      }
      asked.once('response', (answer) => resolve({ answer, end }))
      asked.on('error', (error) => {
        end()
        reject(error)
      })
      asked.cork()
      for (const part of frame) asked.write(part)
      asked.end()
    })
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

/** The most of a complaint that is read, in bytes. */
const problemBytesMax = 64 * 1_024

/** What the backend, or the door before it, complained of. A door's own answers may be tried again. */
async function problemOf(answer: IncomingMessage): Promise<Error> {
  const status = answer.statusCode ?? 0
  try {
    const parts: Buffer[] = []
    let bytes = 0
    for await (const part of answer as AsyncIterable<Buffer>) {
      bytes += part.length
      if (bytes > problemBytesMax) break
      parts.push(part)
    }
    const known = fromProblem(JSON.parse(Buffer.concat(parts).toString()))
    if (known && (status < 500 || known.retry !== 'never')) return known
  } catch {
    // Something between us and the backend answered in words of its own.
  }
  return fault('TASK_FAILED', `a backend answered ${status}`)
}
