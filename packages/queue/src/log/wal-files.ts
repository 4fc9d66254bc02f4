import type { Random } from '@drover/kernel'
import type { Disk } from './disk.ts'
import { WalFile, walPath } from './wal-file.ts'

/** A file that is being made ready has this name; one that a crash left is removed at the next open. */
export const reservePath = 'wal.reserve'
/** The first reserve is made once this share of a file is written: a queue that does little has none. */
const reserveShare = 1 / 128
const reservesMax = 2
/** Room behind a full file for its end mark. */
const endBytes = 4_096

export interface WalFilesOptions {
  readonly disk: Disk
  readonly random: Random
  /** The size at which a file is full. */
  readonly fileBytes: number
  /** Called when something failed that nobody waited for. */
  readonly onFailure: (cause: unknown) => void
}

/**
 * The write-ahead files of a store. A write that makes a file grow takes the journal of the file system
 * along at each fdatasync, and is two to four times as slow as one over bytes that are there. So the
 * next file lies ready: at first one of zeros, later one that was handed on.
 *
 *   reserve ──▶ current ──full──▶ sealed ──taken, handed on──▶ reserve, or removed
 */
export class WalFiles {
  readonly #with: WalFilesOptions
  #id: number
  #current: WalFile
  #sealed: WalFile[] = []
  #taken: WalFile[] = []
  readonly #reserves: WalFile[] = []
  #filling: Promise<void> | undefined
  #isReleasing = false
  /** While a reserve gets its name nobody else may take a number. */
  #naming: Promise<void> | undefined
  /** The disk had no room for a reserve; not tried again before the next file. */
  #noRoom = false
  #closed = false

  private constructor(using: WalFilesOptions, id: number, current: WalFile) {
    this.#with = using
    this.#id = id
    this.#current = current
  }

  /** Begins the file number `id`; there must be none of it or a higher number. */
  static async begin(using: WalFilesOptions, id: number): Promise<WalFiles> {
    return new WalFiles(using, id, await createFile(using, id))
  }

  /** Holds when the next group of `bytes` should go to another file. */
  wantsRoll(bytes: number): boolean {
    const { fileBytes } = this.#with
    const isGrowing = this.#current.room < fileBytes
    return this.#current.bytes + bytes > fileBytes || (isGrowing && this.#reserves.length > 0)
  }

  /** Writes one group and syncs; `after` is the number of the last event in the groups before. */
  async write(batches: readonly Buffer[], bytes: number, after: number): Promise<void> {
    await this.#current.writeGroup(batches, bytes, after)
    const isBusy = this.#current.bytes >= this.#with.fileBytes * reserveShare
    if (isBusy && this.#wantsZeros) this.#fill()
  }

  /** Seals the current file and goes on in the next. */
  async roll(after: number): Promise<void> {
    await this.#current.seal(after)
    while (this.#naming !== undefined) await this.#naming
    this.#sealed.push(this.#current)
    this.#noRoom = false
    const ready = this.#reserves.shift()
    this.#id++
    this.#current = ready ?? (await createFile(this.#with, this.#id))
  }

  get hasSealed(): boolean {
    return this.#sealed.length > 0
  }

  /** Takes the sealed files to be handed on; `release` must follow. */
  take(): void {
    this.#taken.push(...this.#sealed.splice(0))
  }

  /** Nobody needs any more what the taken files hold. */
  async release(): Promise<void> {
    const { disk, fileBytes } = this.#with
    await this.#filling
    this.#isReleasing = true
    for (let file = this.#taken.shift(); file; file = this.#taken.shift()) {
      const isLarge = file.room >= fileBytes / 2
      if (isLarge && this.#reserves.length < reservesMax) await this.#recycle(file)
      else await this.#remove(file)
    }
    await disk.syncFolder('.')
    this.#isReleasing = false
  }

  /** One that is on its way to its segments will be the next reserve, and needs no zeros. */
  get #wantsZeros(): boolean {
    const comes = this.#reserves.length + this.#sealed.length + this.#taken.length > 0
    const isBusy = this.#isReleasing || this.#filling !== undefined
    return !(comes || isBusy || this.#noRoom || this.#closed)
  }

  #recycle(file: WalFile): Promise<void> {
    const { disk } = this.#with
    return closedIfFails(file, async () => {
      // Nothing may look for it under its old name once its bytes are written over.
      await disk.rename(file.path, reservePath)
      await disk.syncFolder('.')
      file.path = reservePath
      await this.#enlist(await file.recycle(this.#newMark()))
    })
  }

  async #remove(file: WalFile): Promise<void> {
    await file.close()
    await this.#with.disk.remove(file.path)
  }

  /** Makes a reserve of zeros, beside the writing. */
  #fill(): void {
    const { disk, onFailure } = this.#with
    this.#filling = WalFile.create(disk, reservePath, this.#newMark())
      .then((file) => closedIfFails(file, () => this.#enlist(file)))
      .catch(onFailure)
      .finally(() => {
        this.#filling = undefined
      })
  }

  /** Gives a file its room and its number. */
  async #enlist(file: WalFile): Promise<void> {
    try {
      await file.makeRoom(this.#with.fileBytes + endBytes, () => this.#closed)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      this.#noRoom = true
    }
    if (this.#noRoom || this.#closed) return this.#remove(file)
    const id = this.#id + this.#reserves.length + 1
    this.#naming = this.#name(file, walPath(id)).finally(() => {
      this.#naming = undefined
    })
    await this.#naming
  }

  async #name(file: WalFile, path: string): Promise<void> {
    const { disk } = this.#with
    await disk.rename(file.path, path)
    await disk.syncFolder('.')
    file.path = path
    this.#reserves.push(file)
  }

  #newMark(): number {
    return this.#with.random.integer(1, 2 ** 53 - 2)
  }

  /** Closes the files as they are. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#filling
    const files = [...this.#taken, ...this.#sealed, this.#current, ...this.#reserves]
    await Promise.allSettled(files.splice(0).map((file) => file.close()))
  }
}

async function closedIfFails(file: WalFile, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    await file.close().catch(() => {
      // What failed first is what counts.
    })
    throw error
  }
}

/** A file that grows, on the disk by name. */
async function createFile({ disk, random }: WalFilesOptions, id: number): Promise<WalFile> {
  const file = await WalFile.create(disk, walPath(id), random.integer(1, 2 ** 53 - 2))
  await disk.syncFolder('.')
  return file
}
