import { Worker } from 'node:worker_threads'
import type { Clock } from '@drover/kernel'
import { fault } from '../errors.ts'
import type { Found, Search } from './pattern-search.ts'

/** A thread of its own for a pattern, because nothing can stop a pattern in this one. */
export class PatternThread {
  readonly #clock: Clock
  readonly #mostMs: number
  #worker: Worker | undefined

  constructor(clock: Clock, mostMs: number) {
    this.#clock = clock
    this.#mostMs = mostMs
  }

  /** Resolves to the matches; throws PATTERN_TOO_SLOW after the deadline and ends the thread. */
  async search(search: Search): Promise<Found> {
    this.#worker ??= new Worker(new URL('./pattern-worker.js', import.meta.url))
    const worker = this.#worker
    const { promise, resolve, reject } = Promise.withResolvers<Found>()
    const cancel = this.#clock.after(this.#mostMs, () =>
      reject(
        fault('PATTERN_TOO_SLOW', `the pattern /${search.source}/ ran over ${this.#mostMs} ms`),
      ),
    )
    worker.once('message', resolve).once('error', reject)
    // A timer of the clock does not keep the process alive; the thread does, until it answered.
    worker.postMessage(search, [search.bytes.buffer as ArrayBuffer])
    try {
      return await promise
    } catch (error) {
      await this.close()
      throw error
    } finally {
      cancel()
      worker.off('message', resolve).off('error', reject)
    }
  }

  async close(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }
}
