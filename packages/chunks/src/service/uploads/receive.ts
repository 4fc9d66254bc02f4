import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { pipeline, type Readable } from 'node:stream'
import type { Gunzip } from 'node:zlib'
import { type Clock, Fault } from '@drover/kernel'
import { fault } from '../../errors.ts'
import { namedDisk } from '../../files/named-error.ts'
import { writeWhole } from '../../files/whole-write.ts'
import { type InputForm, namedInput, unpackers } from '../../source/input.ts'
import type { DiskGuard } from '../disk-guard.ts'
import { detach } from './detach.ts'
import { Intake } from './intake.ts'

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
  readonly clock: Clock
  readonly bytesMax: number
}

/** Compressed input may grow to this many times its size once it is over `growthFreeBytes`. */
const growthMax = 250
const growthFreeBytes = 256 * 2 ** 20

/**
 * Writes an upload to `path`, unpacked. When it fails, what it took of the quota is given back; the
 * caller removes the file. Throws DISK_FULL, UPLOAD_TOO_LARGE, UPLOAD_INVALID, INPUT_DAMAGED, NOT_TEXT.
 */
export async function receive(stream: Readable, options: ReceiveOptions): Promise<Received> {
  const { path, guard, bytesMax, clock } = options
  const sha = createHash('sha256')
  let bytes = 0
  try {
    const file = await open(path, 'w', 0o600)
    try {
      const { unpacked, grown } = unpack(stream, options)
      for await (const block of new Intake(unpacked, clock).blocks()) {
        if (bytes + block.length > bytesMax)
          throw fault('UPLOAD_TOO_LARGE', `the file is over ${bytesMax} bytes`)
        if (bytes > growthFreeBytes && grown(bytes) > growthMax)
          throw fault('UPLOAD_TOO_LARGE', `unpacked, the file is over ${growthMax} × its size`)
        await guard.take(block.length)
        const start = bytes
        bytes += block.length
        const written = writeWhole(file, block, start)
        sha.update(block)
        await written
      }
    } finally {
      await file.close()
    }
  } catch (error) {
    guard.give(bytes)
    throw namedDisk(error instanceof Fault ? error : namedInput(error))
  }
  return { bytes, sha256: sha.digest('hex') }
}

/** The stream's bytes, unpacked; `grown` tells how many times what came `bytes` are. */
function unpack(stream: Readable, { form, clock }: ReceiveOptions) {
  const steps = unpackers(form)
  const last = steps.at(-1)
  if (last === undefined) return { unpacked: stream, grown: () => 1 }
  // Whoever reads the last stream learns of errors by it.
  pipeline([detach(stream, clock), ...steps], () => {})
  const isPacked = form.packing !== 'plain'
  const unpacker = steps[0] as Gunzip
  const grown = (bytes: number) => (isPacked ? bytes / Math.max(1, unpacker.bytesWritten) : 1)
  return { unpacked: last, grown }
}
