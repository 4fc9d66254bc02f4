import { parentPort } from 'node:worker_threads'
import { PieceWriter, type WriteJob } from './write-pieces.ts'

/** What a thread answers: the sums, or why a file could not be written. */
export type Written =
  | { readonly kind: 'written'; readonly sha256: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'failed'; readonly why: string; readonly code: string | undefined }

const writer = new PieceWriter()

parentPort?.on('message', (job: WriteJob) => {
  const answer = write(job)
  parentPort?.postMessage(answer, answer.kind === 'written' ? [answer.sha256.buffer] : [])
})

function write(job: WriteJob): Written {
  try {
    return { kind: 'written', sha256: writer.write(job) }
  } catch (error) {
    const { message: why, code } = error as NodeJS.ErrnoException
    return { kind: 'failed', why, code }
  }
}
