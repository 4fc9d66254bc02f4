import type { Readable } from 'node:stream'

const blockBytes = 2 ** 20

/** Yields a stream in blocks of about 1 MiB, which are written with one call each. */
export async function* gathered(stream: Readable): AsyncGenerator<Buffer> {
  let parts: Buffer[] = []
  let bytes = 0
  let broken: unknown
  try {
    for await (const part of stream as AsyncIterable<Buffer>) {
      parts.push(part)
      bytes += part.length
      if (bytes < blockBytes) continue
      yield Buffer.concat(parts, bytes)
      parts = []
      bytes = 0
    }
  } catch (error) {
    broken = error
  }
  // What came before the connection broke is not lost: a resumable upload goes on after it.
  if (bytes > 0) yield Buffer.concat(parts, bytes)
  if (broken !== undefined) throw broken
}
