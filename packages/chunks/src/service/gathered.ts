import type { Readable } from 'node:stream'
import { sweepYoung } from './sweep.ts'

const blockBytes = 2 ** 20

/**
 * Yields a stream in blocks of 1 MiB, which are written with one call each. A block is good until the
 * next one: it is the same memory every time.
 */
export async function* gathered(stream: Readable): AsyncGenerator<Buffer> {
  const block = Buffer.allocUnsafeSlow(blockBytes)
  let used = 0
  let broken: unknown
  try {
    for await (const part of stream as AsyncIterable<Buffer>) {
      sweepYoung(part.length)
      for (let from = 0; from < part.length; ) {
        const count = part.copy(block, used, from)
        used += count
        from += count
        if (used < blockBytes) continue
        yield block
        used = 0
      }
    }
  } catch (error) {
    broken = error
  }
  // What came before the connection broke is not lost: a resumable upload goes on after it.
  if (used > 0) yield block.subarray(0, used)
  if (broken !== undefined) throw broken
}
