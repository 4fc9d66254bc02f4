import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { JobWriter, type WriteJob } from './job-writer.ts'
import { namedFile } from './named-error.ts'
import type { PieceSums } from './piece-job.ts'
import type { Written } from './write-worker.ts'

/** More threads only wait for the disk. */
const threadsMax = 4

interface Thread {
  readonly worker: Worker
  /** What waits for its answers, in the order of the jobs. */
  readonly waiting: PromiseWithResolvers<PieceSums>[]
}

/** Threads that write chunks: copying and sums are spread over the processor's cores. */
export class WriteThreads {
  /** Jobs to give it at one time, so that no thread waits. */
  readonly window: number
  readonly #count: number
  readonly #threads: Thread[] = []
  readonly #signal: AbortSignal | undefined
  /** Does the jobs of a small file in this thread: they are done before another is up. */
  readonly #here: JobWriter | undefined

  /** Takes another thread for each `bytesEach` of a file of `bytes`; a smaller one is written here. */
  constructor(bytes: number, bytesEach: number, signal?: AbortSignal) {
    this.#signal = signal
    signal?.addEventListener('abort', this.#abort)
    this.#count = Math.min(threadsMax, availableParallelism(), Math.floor(bytes / bytesEach))
    this.#here = this.#count === 0 ? new JobWriter() : undefined
    this.window = Math.max(1, 2 * this.#count)
  }

  /**
   * Does a job on the thread that has the least to do; throws FILE_UNUSABLE, DISK_FULL, and at once
   * what the signal says: a single chunk may take minutes.
   */
  async write(job: WriteJob): Promise<PieceSums> {
    this.#signal?.throwIfAborted()
    if (this.#here) return doHere(this.#here, job)
    const idle = this.#threads.find(({ waiting }) => waiting.length === 0)
    const thread = idle ?? (this.#threads.length < this.#count ? this.#start() : this.#leastBusy())
    const answer = Promise.withResolvers<PieceSums>()
    thread.waiting.push(answer)
    thread.worker.postMessage(job)
    return answer.promise
  }

  /** Ends the threads, whatever they are doing. */
  async stop(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#abort)
    await Promise.all(this.#threads.splice(0).map(({ worker }) => worker.terminate()))
  }

  readonly #abort = () => {
    for (const { waiting } of this.#threads)
      for (const answer of waiting.splice(0)) answer.reject(this.#signal?.reason)
  }

  #leastBusy(): Thread {
    return this.#threads.reduce((least, thread) =>
      thread.waiting.length < least.waiting.length ? thread : least,
    )
  }

  #start(): Thread {
    const worker = new Worker(new URL('./write-worker.js', import.meta.url))
    const thread: Thread = { worker, waiting: [] }
    worker.on('message', (written: Written) => {
      const answer = thread.waiting.shift()
      if (written.kind === 'written') answer?.resolve(written.sums)
      else answer?.reject(namedFile(Object.assign(new Error(written.message), written)))
    })
    worker.on('error', (error) => {
      for (const answer of thread.waiting.splice(0)) answer.reject(error)
    })
    this.#threads.push(thread)
    return thread
  }
}

function doHere(writer: JobWriter, job: WriteJob): PieceSums {
  try {
    return writer.write(job)
  } catch (error) {
    throw namedFile(error)
  }
}
