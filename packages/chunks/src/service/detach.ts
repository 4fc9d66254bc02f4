import { PassThrough, type Readable } from 'node:stream'
import { fault } from '../errors.ts'

/**
 * Returns a stream of the same bytes that may be destroyed without destroying `stream`: a connection
 * must outlive the refusal of its upload, so that the reason can be answered. When `stream` breaks, so
 * does the copy, with UPLOAD_INVALID.
 */
export function detach(stream: Readable): Readable {
  const copy = new PassThrough({ highWaterMark: 2 ** 20 })
  const broken = (cause?: unknown) => {
    if (!stream.readableEnded)
      copy.destroy(fault('UPLOAD_INVALID', 'the client went away half-way', { cause }))
  }
  // The listener for errors stays: without one, a late error of the connection would end the process.
  stream.on('error', broken).once('aborted', broken).once('close', broken)
  if (stream.destroyed) broken()
  else stream.pipe(copy)
  copy.once('close', () => stream.unpipe(copy))
  return copy
}
