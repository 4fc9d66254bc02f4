import { createHash, type Hash } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { type Clock, Fault, randomToken } from '@drover/kernel'
import { fault } from '../errors.ts'
import { detach } from './detach.ts'
import type { DiskGuard } from './disk-guard.ts'

/** A resumable upload. Its offset is the size of its file, so that no crash can make them differ. */
export interface TusUpload {
  readonly id: string
  readonly bytes: number
  readonly metadata: Readonly<Record<string, string>>
  readonly metadataText: string
  /** A part for a later concatenation, the whole made of parts, or neither. */
  readonly concat: string
  readonly expiresAtMs: number
}

/** A checksum that came with a part. */
export interface Checksum {
  readonly algorithm: string
  readonly digest: Buffer
}

export const checksumAlgorithms = ['sha1', 'sha256', 'sha512', 'md5'] as const

/** Unfinished uploads on disk: `<id>.json` says what is expected, `<id>.data` is what came so far. */
export class TusStore {
  readonly #folder: string
  readonly #guard: DiskGuard
  readonly #clock: Clock
  readonly #keepMs: number
  readonly #locked = new Set<string>()

  constructor(folder: string, guard: DiskGuard, clock: Clock, keepMs: number) {
    this.#folder = folder
    this.#guard = guard
    this.#clock = clock
    this.#keepMs = keepMs
  }

  /** Counts what is there, and removes what has expired. */
  async start(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    for (const name of await readdir(this.#folder))
      if (name.endsWith('.data'))
        this.#guard.usedBytes += (await stat(join(this.#folder, name))).size
    await this.sweep()
  }

  /** Makes an upload of `bytes` in all. */
  async create(wanted: Omit<TusUpload, 'id' | 'expiresAtMs'>): Promise<TusUpload> {
    const upload = {
      ...wanted,
      id: randomToken(12),
      expiresAtMs: this.#clock.now() + this.#keepMs,
    }
    await writeFile(this.dataPath(upload.id), '', { mode: 0o600 })
    const path = this.#jsonPath(upload.id)
    await writeFile(`${path}.new`, JSON.stringify(upload), { mode: 0o600 })
    await rename(`${path}.new`, path)
    return upload
  }

  /** Returns an upload and how much of it has come. Throws UPLOAD_UNKNOWN, UPLOAD_GONE. */
  async find(id: string): Promise<{ upload: TusUpload; offset: number }> {
    const unknown = () => fault('UPLOAD_UNKNOWN', 'no such upload')
    if (!/^[\w-]{16}$/.test(id)) throw unknown()
    const text = await readFile(this.#jsonPath(id), 'utf8').catch(() => undefined)
    if (text === undefined) throw unknown()
    const upload = JSON.parse(text) as TusUpload
    if (upload.expiresAtMs < this.#clock.now()) {
      await this.remove(id)
      throw fault('UPLOAD_GONE', 'the upload has expired')
    }
    const { size } = await stat(this.dataPath(id)).catch(() => ({ size: upload.bytes }))
    return { upload, offset: size }
  }

  /**
   * Adds a part at `offset`; resolves to the new offset. A part cut short is kept as far as it came,
   * one with a wrong checksum is not kept at all. Throws UPLOAD_LOCKED, UPLOAD_OFFSET, UPLOAD_CHECKSUM.
   */
  async append(
    id: string,
    offset: number,
    stream: Readable,
    checksum: Checksum | undefined,
  ): Promise<number> {
    if (this.#locked.has(id)) throw fault('UPLOAD_LOCKED', 'another part of it is being received')
    this.#locked.add(id)
    try {
      const { upload, offset: present } = await this.find(id)
      if (offset !== present)
        throw fault(
          'UPLOAD_OFFSET',
          `the upload has ${present} bytes, the part begins at ${offset}`,
        )
      return await this.#write(upload, offset, stream, checksum)
    } finally {
      this.#locked.delete(id)
    }
  }

  async #write(
    upload: TusUpload,
    offset: number,
    stream: Readable,
    checksum: Checksum | undefined,
  ): Promise<number> {
    const file = await open(this.dataPath(upload.id), 'r+')
    const sum = checksum ? createHash(checksum.algorithm) : undefined
    let at = offset
    try {
      for await (const block of gathered(stream)) {
        if (at + block.length > upload.bytes)
          throw fault('UPLOAD_TOO_LARGE', `the upload is over the ${upload.bytes} bytes announced`)
        await this.#guard.take(block.length)
        await writeBlock(file, block, at, sum)
        at += block.length
      }
      if (checksum && !sum?.digest().equals(checksum.digest))
        throw fault('UPLOAD_CHECKSUM', 'the part does not fit its checksum')
    } catch (error) {
      const keeps = checksum === undefined && isBroken(error)
      if (!keeps) {
        await file.truncate(offset)
        this.#guard.give(at - offset)
      }
      throw error
    } finally {
      await file.close()
    }
    return at
  }

  /** Where the bytes of an upload are. */
  dataPath(id: string): string {
    return join(this.#folder, `${id}.data`)
  }

  #jsonPath(id: string): string {
    return join(this.#folder, `${id}.json`)
  }

  /** Ends an upload and gives its room back. */
  async remove(id: string): Promise<void> {
    const { size } = await stat(this.dataPath(id)).catch(() => ({ size: 0 }))
    this.#guard.give(size)
    await this.release(id)
  }

  /** Forgets an upload whose bytes went elsewhere; `data` that is still here is removed. */
  async release(id: string): Promise<void> {
    await rm(this.#jsonPath(id), { force: true })
    await rm(this.dataPath(id), { force: true })
  }

  /** Removes uploads that have expired. */
  async sweep(): Promise<void> {
    for (const name of await readdir(this.#folder))
      if (name.endsWith('.json')) await this.find(name.slice(0, -5)).catch(() => {})
  }
}

/** Yields a stream in blocks of about 1 MiB, which are written with one call each. */
async function* gathered(stream: Readable): AsyncGenerator<Buffer> {
  let parts: Buffer[] = []
  let bytes = 0
  let broken: unknown
  try {
    for await (const part of detach(stream) as AsyncIterable<Buffer>) {
      parts.push(part)
      bytes += part.length
      if (bytes < 2 ** 20) continue
      yield Buffer.concat(parts)
      parts = []
      bytes = 0
    }
  } catch (error) {
    broken = error
  }
  // What came before the connection broke is not lost: the client goes on after it.
  if (bytes > 0) yield Buffer.concat(parts)
  if (broken !== undefined) throw broken
}

async function writeBlock(
  file: Awaited<ReturnType<typeof open>>,
  block: Buffer,
  at: number,
  sum: Hash | undefined,
): Promise<void> {
  const written = file.write(block, 0, block.length, at)
  sum?.update(block)
  await written
}

/** Whether the connection broke; everything else is a rule of ours that the part offends. */
function isBroken(error: unknown): boolean {
  return error instanceof Fault && error.code === 'UPLOAD_INVALID'
}
