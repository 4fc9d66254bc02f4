import { crc32 } from 'node:zlib'
import { fault } from '../errors.ts'
import type { Disk, DiskFile } from '../log/disk.ts'

/** The file is written anew once it has this many bytes and four times as many as when last so. */
const rewriteBytes = 8_388_608

/**
 * A small file of events that lasts. One line is one group of events that was synced at once:
 *
 *   crc32 of what follows the space, 8 hex digits · space · JSON array of events · newline
 *
 * The first line is `drover-journal 1`. Only the last line can be torn by a crash, because a line
 * is synced before the next is written; it is cut off. Any other line that does not fit its
 * checksum is LOG_DAMAGED. After a failed write or sync nothing more is taken: open it again.
 */
export class Journal<Event> {
  readonly #disk: Disk
  readonly #name: string
  #file: DiskFile
  #bytes: number
  #bytesAtRewrite: number
  #waiting: Waiting<Event>[] = []
  #writing: Promise<void> | undefined
  #closing: Promise<void> | undefined
  #failed: Error | undefined

  private constructor(disk: Disk, name: string, file: DiskFile, bytes: number) {
    this.#disk = disk
    this.#name = name
    this.#file = file
    this.#bytes = bytes
    this.#bytesAtRewrite = bytes
  }

  /**
   * Opens the file `name`, made if there is none, and hands each of its events to `apply`. Throws
   * LOG_DAMAGED and FORMAT_UNKNOWN. `durableBytes`: cut it to this first, after a failure.
   */
  static async open<Event>(
    disk: Disk,
    name: string,
    apply: (event: Event) => void,
    durableBytes?: number,
  ): Promise<Journal<Event>> {
    const there = (await disk.list('.')).includes(name)
    if (!there) return Journal.#create<Event>(disk, name, [])
    const file = await disk.open(name)
    const text = await readAll(file, durableBytes)
    const { lines, bytes } = parse(name, text)
    for (const line of lines) for (const event of line) apply(event as Event)
    if (bytes < (await file.size())) {
      await file.truncate(bytes)
      await file.sync()
    }
    return new Journal<Event>(disk, name, file, bytes)
  }

  static async #create<Event>(
    disk: Disk,
    name: string,
    events: readonly Event[],
  ): Promise<Journal<Event>> {
    const fresh = `${name}.new`
    const file = await disk.create(fresh)
    const lines = [`${header}\n`, ...(events.length > 0 ? [toLine(events)] : [])]
    const bytes = Buffer.from(lines.join(''))
    await file.write([bytes], 0)
    await file.sync()
    await disk.rename(fresh, name)
    await disk.syncFolder('.')
    return new Journal<Event>(disk, name, file, bytes.length)
  }

  /** How much of the file has been synced; infinite when all of it. */
  get durableBytes(): number {
    return this.#bytes
  }

  get failed(): boolean {
    return this.#failed !== undefined
  }

  /** Resolves when `event` would survive a power cut. Throws DISK_FAILED. */
  append(event: Event): Promise<void> {
    if (this.#failed) return Promise.reject(this.#failed)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waiting.push({ event, resolve, reject })
    this.#writing ??= this.#write()
    return promise
  }

  /** Writes the file anew from `events` when it has grown far beyond them; else does nothing. */
  async rewriteWhenLarge(events: () => Iterable<Event>): Promise<void> {
    if (!this.#large) return
    while (this.#writing !== undefined) await this.#writing
    if (this.#failed || !this.#large) return
    const rewriting = this.#rewrite([...events()])
    this.#writing = rewriting
    await rewriting
  }

  get #large(): boolean {
    return this.#bytes >= Math.max(rewriteBytes, 4 * this.#bytesAtRewrite)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing
    this.#failed ??= fault('BROKER_STOPPED', `${this.#name} is closed`)
    await this.#file.close()
  }

  /** One group after the other; while one is being synced the next gathers. */
  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting
      this.#waiting = []
      try {
        if (this.#failed) throw this.#failed
        const line = Buffer.from(toLine(group.map(({ event }) => event)))
        await this.#file.write([line], this.#bytes)
        await this.#file.sync()
        this.#bytes += line.length
        for (const { resolve } of group) resolve()
      } catch (cause) {
        const failed = this.#fail(cause)
        for (const { reject } of group) reject(failed)
      }
    }
    this.#writing = undefined
  }

  async #rewrite(events: readonly Event[]): Promise<void> {
    try {
      const fresh = await Journal.#create(this.#disk, this.#name, events)
      await this.#file.close()
      this.#file = fresh.#file
      this.#bytes = fresh.#bytes
      this.#bytesAtRewrite = fresh.#bytes
    } catch (cause) {
      // Whichever of the two files has the name now was synced to its end.
      this.#bytes = Number.POSITIVE_INFINITY
      this.#fail(cause)
    }
    this.#writing = this.#waiting.length > 0 ? this.#write() : undefined
  }

  #fail(cause: unknown): Error {
    this.#failed ??= fault('DISK_FAILED', `${this.#name} could not be written`, { cause })
    return this.#failed
  }
}

interface Waiting<Event> {
  readonly event: Event
  resolve(): void
  reject(cause: unknown): void
}

const header = 'drover-journal 1'

function toLine(events: readonly unknown[]): string {
  const json = JSON.stringify(events)
  return `${checksum(json)} ${json}\n`
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, '0')
}

async function readAll(file: DiskFile, bytesMax = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const bytes = Buffer.alloc(Math.min(await file.size(), bytesMax))
  const count = await file.read(bytes, 0)
  return bytes.subarray(0, count)
}

/** Returns the groups of events in `bytes`, and how many of the bytes they take. */
function parse(name: string, bytes: Buffer): { lines: unknown[][]; bytes: number } {
  const headerBytes = header.length + 1
  const first = bytes.toString('latin1', 0, headerBytes)
  if (first !== `${header}\n`)
    throw fault('FORMAT_UNKNOWN', `${name} begins with "${first.trim().slice(0, 40)}"`)
  const lines: unknown[][] = []
  let at = headerBytes
  while (at < bytes.length) {
    const end = bytes.indexOf(10, at)
    const line = end < 0 ? undefined : parseLine(bytes.toString('utf8', at, end))
    if (!line) {
      if (hasGoodLine(bytes, end)) throw fault('LOG_DAMAGED', `${name} is damaged at byte ${at}`)
      break
    }
    lines.push(line)
    at = end + 1
  }
  return { lines, bytes: at }
}

/** Holds when a whole line follows behind the newline at `end`: then what precedes it was synced. */
function hasGoodLine(bytes: Buffer, end: number): boolean {
  for (let at = end; at >= 0 && at < bytes.length; ) {
    const next = bytes.indexOf(10, at + 1)
    if (next < 0) return false
    if (parseLine(bytes.toString('utf8', at + 1, next))) return true
    at = next
  }
  return false
}

function parseLine(line: string): unknown[] | undefined {
  const json = line.slice(9)
  if (line[8] !== ' ' || line.slice(0, 8) !== checksum(json)) return undefined
  return JSON.parse(json) as unknown[]
}
