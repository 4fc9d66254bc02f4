import { close, fstatSync, mkdirSync, openSync, renameSync, write } from 'node:fs'
import { dirname } from 'node:path'
import type { Cancel, Clock } from '@drover/kernel'
import { copyPlainJson } from '../protocol/bytes.ts'

/** Where a server writes what goes in and out, and how much of it. */
export interface ActivityLogOptions {
  /** The file; its directory is made. The older ones are this with .1, .2 … */
  readonly file: string
  /** A file that has grown to this many bytes becomes `.1`, and a new one begins. Default 64 MiB. */
  readonly fileBytesMax?: number
  /** How many older files are kept. Default 3. */
  readonly olderFilesMax?: number
  readonly clock: Clock
}

/** A buffer is written when it is this full, and every `flushMs` at the latest. */
const bufferBytes = 262_144
const flushMs = 100
/** What may wait for a slow disk; beyond it lines are left out, and counted. */
const waitingBytesMax = 16 * 1_048_576
/** Of each line that goes in or out so much is logged. */
const shownBytesMax = 1_024

/**
 * The log of one server: JSON lines `{"t":ms,"c":connection,"in":"…","out":"…"}`, and events with
 * `"event"`. An answer that comes later than its line has an entry of its own, with `"out"` alone.
 * Entries are put together as bytes and written in batches by node's threads, so that a hundred
 * thousand a second cost the server little. A crash loses at most the last 100 ms.
 */
export class ActivityLog {
  readonly #options: Required<ActivityLogOptions>
  #descriptor: number
  #fileBytes: number
  #buffer = Buffer.allocUnsafeSlow(bufferBytes)
  #length = 0
  readonly #full: Buffer[] = []
  #waitingBytes = 0
  #isWriting = false
  #leftOut = 0
  #timeMs = 0
  #time = Buffer.alloc(0)
  #stopTimer: Cancel
  #whenIdle: (() => void) | undefined

  /** Opens the file. Throws when it cannot be written. */
  constructor(options: ActivityLogOptions) {
    this.#options = { fileBytesMax: 64 * 1_048_576, olderFilesMax: 3, ...options }
    mkdirSync(dirname(options.file), { recursive: true })
    this.#descriptor = openSync(options.file, 'a')
    this.#fileBytes = fstatSync(this.#descriptor).size
    this.#stopTimer = options.clock.every(flushMs, () => this.#flush())
  }

  /** Notes a line that a client sent, and its answer, which came at once. */
  exchange(
    connection: number,
    line: Uint8Array,
    lineStart: number,
    lineEnd: number,
    answer: Uint8Array,
    answerStart: number,
    answerEnd: number,
  ): void {
    const bytes = shownBytes(lineStart, lineEnd) + shownBytes(answerStart, answerEnd)
    if (!this.#begin(connection, bytes)) return
    this.#field(',"in":"', line, lineStart, lineEnd)
    this.#field(',"out":"', answer, answerStart, answerEnd)
    this.#end()
  }

  /** Notes a line that has no answer, or none yet. */
  input(connection: number, bytes: Uint8Array, start: number, end: number): void {
    if (!this.#begin(connection, shownBytes(start, end))) return
    this.#field(',"in":"', bytes, start, end)
    this.#end()
  }

  /** Notes an answer that came later than its line was noted. */
  output(connection: number, bytes: Uint8Array, start: number, end: number): void {
    if (!this.#begin(connection, shownBytes(start, end))) return
    this.#field(',"out":"', bytes, start, end)
    this.#end()
  }

  /** Notes something that happened; `fields` must be plain JSON. */
  event(event: string, fields: Readonly<Record<string, unknown>> = {}): void {
    const text = Buffer.from(JSON.stringify({ t: this.#options.clock.now(), event, ...fields }))
    if (!this.#room(text.length + 1)) return
    text.copy(this.#buffer, this.#length)
    this.#length += text.length
    this.#buffer[this.#length++] = 10
  }

  /** Writes what waits and closes the file. */
  async close(): Promise<void> {
    this.#stopTimer()
    this.#flush()
    if (this.#isWriting)
      await new Promise<void>((resolve) => {
        this.#whenIdle = resolve
      })
    await new Promise<void>((resolve) => close(this.#descriptor, () => resolve()))
  }

  /** Begins a line that shows so many bytes; false when it must be left out. */
  #begin(connection: number, bytes: number): boolean {
    if (!this.#room(bytes * 6 + 160)) return false
    this.#text('{"t":')
    this.#bytes(this.#now())
    this.#text(',"c":')
    this.#text(String(connection))
    return true
  }

  #field(name: string, bytes: Uint8Array, start: number, end: number): void {
    this.#text(name)
    const shownEnd = start + shownBytes(start, end)
    this.#length = copyPlainJson(bytes, start, shownEnd, this.#buffer, this.#length)
    this.#text(shownEnd < end ? `","bytes":${end - start}` : '"')
  }

  #end(): void {
    this.#buffer[this.#length++] = 125 // }
    this.#buffer[this.#length++] = 10
  }

  #now(): Buffer {
    const nowMs = this.#options.clock.now()
    if (nowMs === this.#timeMs) return this.#time
    this.#timeMs = nowMs
    this.#time = Buffer.from(String(nowMs), 'latin1')
    return this.#time
  }

  #text(text: string): void {
    const buffer = this.#buffer
    let to = this.#length
    for (let at = 0; at < text.length; at++) buffer[to++] = text.charCodeAt(at)
    this.#length = to
  }

  #bytes(bytes: Uint8Array): void {
    const buffer = this.#buffer
    let to = this.#length
    for (let at = 0; at < bytes.length; at++) buffer[to++] = bytes[at] as number
    this.#length = to
  }

  /** Makes room for a line; false when the disk is too slow and the line must be left out. */
  #room(byteCount: number): boolean {
    if (this.#length + byteCount <= this.#buffer.length) return true
    if (this.#waitingBytes > waitingBytesMax || byteCount > bufferBytes) {
      this.#leftOut++
      return false
    }
    this.#flush()
    return true
  }

  #flush(): void {
    if (this.#length > 0) {
      this.#full.push(this.#buffer.subarray(0, this.#length))
      this.#waitingBytes += this.#length
      this.#buffer = Buffer.allocUnsafeSlow(bufferBytes)
      this.#length = 0
    }
    this.#writeNext()
  }

  #writeNext(): void {
    const next = this.#full[0]
    if (this.#isWriting || !next) return
    this.#rotate()
    this.#isWriting = true
    write(this.#descriptor, next, 0, next.length, null, (error, written) => {
      this.#isWriting = false
      this.#waitingBytes -= error ? next.length : written
      this.#fileBytes += written
      if (error || written === next.length) this.#full.shift()
      else this.#full[0] = next.subarray(written)
      // A full disk loses lines of the log, never an answer.
      if (error) this.#leftOut++
      if (this.#leftOut > 0 && !error) this.#tellLeftOut()
      if (this.#full.length > 0) this.#writeNext()
      else this.#whenIdle?.()
    })
  }

  #tellLeftOut(): void {
    const lines = this.#leftOut
    this.#leftOut = 0
    this.event('log.left-out', { lines })
  }

  #rotate(): void {
    const { file, fileBytesMax, olderFilesMax } = this.#options
    if (this.#fileBytes < fileBytesMax) return
    try {
      // A device or a pipe is nobody's to rename.
      if (!fstatSync(this.#descriptor).isFile()) return
      for (let number = olderFilesMax - 1; number > 0; number--)
        renameIfThere(`${file}.${number}`, `${file}.${number + 1}`)
      if (olderFilesMax > 0) renameIfThere(file, `${file}.1`)
      const descriptor = openSync(file, olderFilesMax > 0 ? 'a' : 'w')
      close(this.#descriptor, () => {})
      this.#descriptor = descriptor
    } catch {
      // No new file can be made: the old one goes on, and the next rotation is tried as late.
    } finally {
      this.#fileBytes = 0
    }
  }
}

function shownBytes(start: number, end: number): number {
  return Math.min(end - start, shownBytesMax)
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
