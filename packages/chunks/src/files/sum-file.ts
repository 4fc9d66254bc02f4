import { Worker } from 'node:worker_threads'
import { fault } from '../errors.ts'
import type { FileSource } from '../source/file-source.ts'
import { sumBlocks } from './sum-blocks.ts'

/** A smaller file is summed up before a thread is up. */
const threadBytesMin = 4 * 2 ** 20

/** The sum of a whole file, which a thread works out meanwhile. */
export interface Summing {
  /** In hex. Throws FILE_UNUSABLE. */
  readonly sha256: Promise<string>
  /** Ends the thread; the file is not read any more. */
  stop(): Promise<void>
}

/** Begins to work out the SHA-256 of a file. */
export function sumFile(source: FileSource): Summing {
  const file = { fd: source.locate(0).fd, bytes: source.bytes }
  if (file.bytes < threadBytesMin)
    return { sha256: Promise.resolve(sumBlocks(file)), stop: async () => {} }
  const worker = new Worker(new URL('./sum-worker.js', import.meta.url))
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const fail = (why: string, cause?: unknown) =>
    reject(fault('FILE_UNUSABLE', `the file cannot be summed up: ${why}`, { cause }))
  worker.once('message', resolve)
  worker.once('error', (error: Error) => fail(error.message, error))
  worker.once('exit', () => fail('the thread ended'))
  worker.postMessage(file)
  // When chunking fails first, nobody awaits the sum.
  promise.catch(() => {})
  return {
    sha256: promise,
    async stop() {
      await worker.terminate()
    },
  }
}
