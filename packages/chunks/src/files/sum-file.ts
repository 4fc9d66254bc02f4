import { Worker } from 'node:worker_threads'
import { fault } from '../errors.ts'
import type { FileSource } from '../source/file-source.ts'
import { namedFile } from './named-error.ts'
import { sumBlocks } from './sum-blocks.ts'

/** A smaller file is summed up before a thread is up, which takes 30 ms of processor time. */
const threadBytesMin = 48 * 2 ** 20

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
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  // When chunking fails first, nobody awaits the sum.
  promise.catch(() => {})
  if (file.bytes < threadBytesMin) {
    try {
      resolve(sumBlocks(file))
    } catch (error) {
      reject(namedFile(error))
    }
    return { sha256: promise, stop: async () => {} }
  }
  const worker = new Worker(new URL('./sum-worker.js', import.meta.url))
  const fail = (why: string, cause?: unknown) =>
    reject(fault('FILE_UNUSABLE', `the file cannot be summed up: ${why}`, { cause }))
  worker.once('message', resolve)
  worker.once('error', (error: Error) => fail(error.message, error))
  worker.once('exit', () => fail('the thread ended'))
  worker.postMessage(file)
  return {
    sha256: promise,
    async stop() {
      await worker.terminate()
    },
  }
}
