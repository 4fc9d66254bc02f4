import { createHash } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { type Clock, Fault, randomToken, withDeadline } from '@drover/kernel'
import { fault } from '../../errors.ts'
import { namedDisk } from '../../files/named-error.ts'
import { writeWhole } from '../../files/whole-write.ts'
import type { DiskGuard } from '../disk-guard.ts'
import { Intake } from './intake.ts'

/** A resumable upload. Its offset is the size of its file, so that no crash can make them differ. */
export interface TusUpload {
  readonly id: string
  readonly bytes: number
  readonly metadata: Readonly<Record<string, string>>
  readonly metadataText: string
  /** `partial`, `final;` and the parts, or empty. */
  readonly concat: string
  /** Ids of the uploads that a final one is made of. */
  readonly parts?: readonly string[]
  readonly expiresAtMs: number
  /** Whether it has become a request, which has its bytes. */
  readonly isDone?: boolean
}

/** A checksum that came with a part. */
export interface Checksum {
  readonly algorithm: string
  readonly digest: Buffer
}

export const checksumAlgorithms = ['sha1', 'sha256', 'sha512', 'md5'] as const

/** The most uploads that are kept, those that expired lately too. */
const uploadsMax = 10_000

/** How long a part waits for the one before it, whose connection may be gone unnoticed, in ms. */
const handOverMs = 10_000

/** Unfinished uploads on disk: `<id>.json` says what is expected, `<id>.data` is what came so far. */
export class TusStore {
  readonly #folder: string
  readonly #guard: DiskGuard
  readonly #clock: Clock
  readonly #keepMs: number
  /** Ids of all uploads that are kept. */
  readonly #known = new Set<string>()
  /** Parts that are being received: how to end them, and when they have ended. */
  readonly #running = new Map<string, { end(): void; readonly ended: Promise<void> }>()

  constructor(folder: string, guard: DiskGuard, clock: Clock, keepMs: number) {
    this.#folder = folder
    this.#guard = guard
    this.#clock = clock
    this.#keepMs = keepMs
  }

  /** Counts what is there, and removes what has expired. */
  async start(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    for (const name of await readdir(this.#folder)) {
      const path = join(this.#folder, name)
      if (name.endsWith('.data')) this.#guard.count((await stat(path)).size)
      else if (name.endsWith('.json')) this.#known.add(name.slice(0, -5))
      else await rm(path)
    }
    await this.sweep()
  }

  /** Makes an upload of `bytes` in all. */
  async create(wanted: Omit<TusUpload, 'id' | 'expiresAtMs'>): Promise<TusUpload> {
    if (this.#known.size >= uploadsMax)
      throw fault('REQUESTS_TOO_MANY', `${uploadsMax} uploads are kept already`)
    const expiresAtMs = this.#clock.now() + this.#keepMs
    const upload = { ...wanted, id: randomToken(12), expiresAtMs }
    this.#known.add(upload.id)
    try {
      if (!upload.parts) await writeFile(this.dataPath(upload.id), '', { mode: 0o600 })
      await this.#save(upload)
    } catch (error) {
      await this.#remove(upload.id)
      throw namedDisk(error)
    }
    return upload
  }

  async #save(upload: TusUpload): Promise<void> {
    const path = this.#jsonPath(upload.id)
    await writeFile(`${path}.new`, JSON.stringify(upload), { mode: 0o600 })
    await rename(`${path}.new`, path)
  }

  /** Returns an upload and how much of it has come. Throws UPLOAD_UNKNOWN, UPLOAD_GONE. */
  async find(id: string): Promise<{ upload: TusUpload; offset: number }> {
    const upload = await this.#read(id)
    if (upload === undefined) throw fault('UPLOAD_UNKNOWN', 'no such upload')
    if (upload.expiresAtMs < this.#clock.now() && !this.#running.has(id)) {
      await this.#empty(id)
      throw fault('UPLOAD_GONE', 'the upload has expired')
    }
    if (upload.isDone || upload.parts) return { upload, offset: upload.bytes }
    const { size } = await stat(this.dataPath(id)).catch((cause) => {
      throw fault('UPLOAD_UNKNOWN', 'no such upload', { cause })
    })
    return { upload, offset: size }
  }

  async #read(id: string): Promise<TusUpload | undefined> {
    if (!/^[\w-]{16}$/.test(id)) return undefined
    try {
      return JSON.parse(await readFile(this.#jsonPath(id), 'utf8')) as TusUpload
    } catch {
      // It never was, or has gone.
      return undefined
    }
  }

  /**
   * Adds a part at `offset`; resolves to the new offset. A part cut short is kept as far as it came,
   * one with a wrong checksum is not kept at all. A part that is still being received is ended: its
   * client has come back by another connection. Throws UPLOAD_LOCKED, UPLOAD_OFFSET, UPLOAD_CHECKSUM.
   */
  async append(
    id: string,
    offset: number,
    stream: Readable,
    checksum: Checksum | undefined,
  ): Promise<number> {
    await this.#endRunning(id)
    const intake = new Intake(stream, this.#clock)
    const { promise: ended, resolve } = Promise.withResolvers<void>()
    const end = () => intake.end(fault('UPLOAD_INVALID', 'another connection took over'))
    this.#running.set(id, { end, ended })
    try {
      const { upload, offset: present } = await this.find(id)
      if (offset !== present)
        throw fault(
          'UPLOAD_OFFSET',
          `the upload has ${present} bytes, the part begins at ${offset}`,
        )
      return await this.#write(upload, offset, intake, checksum)
    } finally {
      intake.end(undefined)
      this.#running.delete(id)
      resolve()
    }
  }

  async #endRunning(id: string): Promise<void> {
    const running = this.#running.get(id)
    if (!running) return
    running.end()
    await withDeadline('a part', handOverMs, this.#clock, running.ended).catch(() => {})
    if (this.#running.has(id)) throw fault('UPLOAD_LOCKED', 'another part of it is being received')
  }

  async #write(
    upload: TusUpload,
    offset: number,
    intake: Intake,
    checksum: Checksum | undefined,
  ): Promise<number> {
    const file = await open(this.dataPath(upload.id), 'r+')
    const sum = checksum ? createHash(checksum.algorithm) : undefined
    let at = offset
    try {
      for await (const block of intake.blocks()) {
        if (at + block.length > upload.bytes)
          throw fault('UPLOAD_TOO_LARGE', `the upload is over the ${upload.bytes} bytes announced`)
        await this.#guard.take(block.length)
        const start = at
        at += block.length
        const written = writeWhole(file, block, start)
        sum?.update(block)
        await written
      }
      if (checksum && !sum?.digest().equals(checksum.digest))
        throw fault('UPLOAD_CHECKSUM', 'the part does not fit its checksum')
    } catch (error) {
      const keeps = checksum === undefined && isBroken(error)
      if (!keeps) {
        await file.truncate(offset)
        this.#guard.give(at - offset)
      }
      throw namedDisk(error)
    } finally {
      await file.close()
    }
    return at
  }

  /** Where the bytes of an upload are: its own file, or those of its parts. */
  pathsOf({ id, parts }: TusUpload): string[] {
    return (parts ?? [id]).map((part) => this.dataPath(part))
  }

  /** Where the bytes of an upload are. */
  dataPath(id: string): string {
    return join(this.#folder, `${id}.data`)
  }

  #jsonPath(id: string): string {
    return join(this.#folder, `${id}.json`)
  }

  /** Notes that an upload has become a request, and lets go of its bytes. */
  async finish(upload: TusUpload): Promise<void> {
    await this.#save({ ...upload, isDone: true })
    await this.#empty(upload.id)
    for (const part of upload.parts ?? []) await this.remove(part)
  }

  /** Ends an upload and gives its room back. */
  async remove(id: string): Promise<void> {
    this.#running.get(id)?.end()
    await this.#empty(id)
    await this.#remove(id)
  }

  async #empty(id: string): Promise<void> {
    const { size } = await stat(this.dataPath(id)).catch(() => ({ size: 0 }))
    this.#guard.give(size)
    await rm(this.dataPath(id), { force: true })
  }

  async #remove(id: string): Promise<void> {
    await rm(this.#jsonPath(id), { force: true })
    await rm(this.dataPath(id), { force: true })
    this.#known.delete(id)
  }

  /** Removes uploads that have expired; that they were there is known as long again. */
  async sweep(): Promise<void> {
    for (const upload of await this.#all()) {
      if (upload.expiresAtMs + this.#keepMs < this.#clock.now()) await this.#remove(upload.id)
      else if (upload.expiresAtMs < this.#clock.now()) await this.find(upload.id).catch(() => {})
    }
  }

  /** Returns the uploads whose bytes are all here, and which are no request yet. */
  async complete(): Promise<TusUpload[]> {
    const found: TusUpload[] = []
    for (const upload of await this.#all()) {
      if (upload.isDone || upload.concat === 'partial' || this.#running.has(upload.id)) continue
      const told = await this.find(upload.id).catch(() => undefined)
      if (told?.offset === upload.bytes) found.push(upload)
    }
    return found
  }

  async #all(): Promise<TusUpload[]> {
    const found: TusUpload[] = []
    for (const id of [...this.#known]) {
      const upload = await this.#read(id)
      if (upload) found.push(upload)
    }
    return found
  }
}

/** Whether the connection broke; everything else is a rule of ours that the part offends. */
function isBroken(error: unknown): boolean {
  return error instanceof Fault && error.code === 'UPLOAD_INVALID'
}
