import { type Readable, Transform } from 'node:stream'
import type { Clock } from '@drover/kernel'
import { fault } from '../../errors.ts'
import { watchPace } from '../pace.ts'

/**
 * Returns a stream of the same bytes that may be destroyed without destroying `stream`: a connection
 * must outlive the refusal of its upload, so that the reason can be answered. When `stream` breaks or
 * crawls, the copy breaks with UPLOAD_INVALID.
 */
export function detach(stream: Readable, clock: Clock): Readable {
  let bytes = 0
  const copy = new Transform({
    highWaterMark: 256 * 1_024,
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      done(null, chunk)
    },
  })
  const broken = (cause?: unknown) => {
    if (!stream.readableEnded)
      copy.destroy(fault('UPLOAD_INVALID', 'the client went away half-way', { cause }))
  }
  // The listener for errors stays: without one, a late error of the connection would end the process.
  stream.on('error', broken).once('aborted', broken).once('close', broken)
  if (stream.destroyed) broken()
  else stream.pipe(copy)
  // What waits here is our slowness, not the sender's.
  const look = () => ({ bytes, isOurs: copy.readableLength > 0 })
  const cancel = watchPace(clock, look, () =>
    copy.destroy(fault('UPLOAD_INVALID', 'the upload came too slowly')),
  )
  copy.once('close', () => {
    cancel()
    stream.unpipe(copy)
  })
  return copy
}
