import { parentPort } from 'node:worker_threads'
import { JobWriter, type WriteJob } from './job-writer.ts'
import type { PieceSums } from './piece-job.ts'

/** What a thread answers: the sums, or why a chunk could not be written, by the words of the system. */
export type Written =
  | { readonly kind: 'written'; readonly sums: PieceSums }
  | {
      readonly kind: 'failed'
      readonly message: string
      readonly code: string | undefined
      readonly syscall: string | undefined
    }

const writer = new JobWriter()

parentPort?.on('message', (job: WriteJob) => parentPort?.postMessage(write(job)))

function write(job: WriteJob): Written {
  try {
    return { kind: 'written', sums: writer.write(job) }
  } catch (error) {
    const { message, code, syscall } = error as NodeJS.ErrnoException
    return { kind: 'failed', message, code, syscall }
  }
}
