import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { namedFile } from './named-error.ts'
import type { WriteJob } from './write-pieces.ts'
import type { Written } from './write-worker.ts'

/** More threads only wait for the disk. */
const threadsMax = 4

interface Thread {
  readonly worker: Worker
  /** What waits for its answers, in the order of the jobs. */
  readonly waiting: PromiseWithResolvers<Uint8Array>[]
}

/** Threads that write chunks to files: copying and sums are spread over the processor's cores. */
export class WriteThreads {
  readonly count = Math.min(threadsMax, availableParallelism())
  readonly #threads: Thread[] = []

  /** Does a job on the thread that has the least to do; throws FILE_UNUSABLE. */
  write(job: WriteJob): Promise<Uint8Array> {
    const idle = this.#threads.find(({ waiting }) => waiting.length === 0)
    const thread = idle ?? (this.#threads.length < this.count ? this.#start() : this.#leastBusy())
    const answer = Promise.withResolvers<Uint8Array>()
    thread.waiting.push(answer)
    thread.worker.postMessage(job)
    return answer.promise
  }

  /** Ends the threads, whatever they are doing. */
  async stop(): Promise<void> {
    for (const { worker } of this.#threads.splice(0)) await worker.terminate()
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
      if (written.kind === 'written') answer?.resolve(written.sha256)
      else answer?.reject(reasonOf(written))
    })
    worker.on('error', (error) => {
      for (const answer of thread.waiting.splice(0)) answer.reject(error)
    })
    this.#threads.push(thread)
    return thread
  }
}

/** An error of a thread as it would be here: what crosses a thread is its text alone. */
function reasonOf({ why, code }: Written & { readonly kind: 'failed' }): unknown {
  const error = Object.assign(new Error(`chunks cannot be written: ${why}`), { code })
  return namedFile(Object.assign(error, { syscall: 'write' }))
}
