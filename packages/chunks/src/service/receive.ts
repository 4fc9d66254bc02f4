import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { type Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Fault } from '@drover/kernel'
import { fault } from '../errors.ts'
import { type InputForm, namedInput, unpackers } from '../input.ts'
import { detach } from './detach.ts'
import type { DiskGuard } from './disk-guard.ts'

/** A file that was received whole. */
export interface Received {
  readonly bytes: number
  readonly sha256: string
}

/** Limits and places of an upload. */
export interface ReceiveOptions {
  readonly path: string
  readonly form: InputForm
  readonly guard: DiskGuard
  readonly bytesMax: number
}

/**
 * Writes an upload to `path`, unpacked. When it fails, what it took of the quota is given back; the
 * caller removes the file. Throws DISK_FULL, UPLOAD_TOO_LARGE, UPLOAD_INVALID, INPUT_DAMAGED, NOT_TEXT.
 */
export async function receive(stream: Readable, options: ReceiveOptions): Promise<Received> {
  const { path, form, guard, bytesMax } = options
  const sha = createHash('sha256')
  let bytes = 0
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (bytes + chunk.length > bytesMax) {
        done(fault('UPLOAD_TOO_LARGE', `the file is over ${bytesMax} bytes`))
        return
      }
      guard.take(chunk.length).then(() => {
        bytes += chunk.length
        sha.update(chunk)
        done(null, chunk)
      }, done)
    },
  })
  try {
    const target = createWriteStream(path, { mode: 0o600, highWaterMark: 2 ** 20 })
    await pipeline([detach(stream), ...unpackers(form), counter, target])
  } catch (error) {
    guard.give(bytes)
    throw namedUpload(error)
  }
  return { bytes, sha256: sha.digest('hex') }
}

function namedUpload(error: unknown): unknown {
  if (error instanceof Fault) return error
  const { code = '' } = error as { code?: string }
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return fault('DISK_FULL', 'the disk is full', { cause: error })
  if (code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE')
    return fault('UPLOAD_INVALID', 'the client went away half-way', { cause: error })
  return namedInput(error)
}
