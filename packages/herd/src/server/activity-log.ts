import type { Cancel, Clock } from '@drover/kernel'
import { copyPlainJson, LF, viewOf } from '../protocol/bytes.ts'
import { writeWhole } from '../protocol/decimal.ts'
import { LogFile } from './log-file.ts'

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

/** What was put together is written this often, or when it is a piece. */
const flushMs = 100
/** Of each line that goes in or out so much is logged. */
const shownBytesMax = 1_024
/** Everything of an entry but what is shown. */
const entryBytesMax = 160

const inField = Buffer.from(',"in":"')
const outField = Buffer.from(',"out":"')
const quote = 34
const closingBrace = 125

/**
 * The log of one server: JSON lines `{"t":ms,"c":connection,"in":"…","out":"…"}`, and events with
 * `"event"`. An answer that comes later than its line has an entry of its own, with `"out"` alone.
 * Entries are put together as bytes and written in batches by node's threads, so that a hundred
 * thousand a second cost the server little. A crash loses at most the last 100 ms.
 */
export class ActivityLog {
  readonly #clock: Clock
  readonly #file: LogFile
  #leftOut = 0
  #headMs = Number.NaN
  /** Begins every entry of one millisecond: `{"t":1763747000123,"c":`. */
  #head: Uint8Array = new Uint8Array(0)
  readonly #stopTimer: Cancel

  /** Opens the file. Throws when it cannot be written. */
  constructor({ clock, ...options }: ActivityLogOptions) {
    const onTaken = () => this.#tellLeftOut()
    this.#clock = clock
    this.#file = new LogFile({
      fileBytesMax: 64 * 1_048_576,
      olderFilesMax: 3,
      ...options,
      onTaken,
    })
    this.#stopTimer = clock.every(flushMs, () => this.#file.flush())
  }

  /** Notes a line that a client sent, and its answer, which came at once, at `nowMs`. */
  exchange(
    nowMs: number,
    connection: number,
    line: Uint8Array,
    lineStart: number,
    lineEnd: number,
    answer: Uint8Array,
    answerStart: number,
    answerEnd: number,
  ): void {
    const bytes = shownBytes(lineStart, lineEnd) + shownBytes(answerStart, answerEnd)
    if (!this.#begin(nowMs, connection, bytes)) return
    this.#field(inField, line, lineStart, lineEnd)
    this.#field(outField, answer, answerStart, answerEnd)
    this.#end()
  }

  /** Notes a line that has no answer, or none yet. */
  input(nowMs: number, connection: number, bytes: Uint8Array, start: number, end: number): void {
    if (!this.#begin(nowMs, connection, shownBytes(start, end))) return
    this.#field(inField, bytes, start, end)
    this.#end()
  }

  /** Notes an answer that came later than its line was noted. */
  output(connection: number, bytes: Uint8Array, start: number, end: number): void {
    if (!this.#begin(this.#clock.now(), connection, shownBytes(start, end))) return
    this.#field(outField, bytes, start, end)
    this.#end()
  }

  /** Notes something that happened; `fields` must be plain JSON. */
  event(event: string, fields: Readonly<Record<string, unknown>> = {}): void {
    const text = Buffer.from(JSON.stringify({ t: this.#clock.now(), event, ...fields }))
    const file = this.#file
    if (!this.#room(text.length + 1)) return
    text.copy(file.bytes, file.length)
    file.length += text.length
    file.bytes[file.length++] = LF
  }

  /** Writes what waits and closes the file. */
  async close(): Promise<void> {
    this.#stopTimer()
    await this.#file.close()
  }

  /** Begins an entry that shows so many bytes; false when it must be left out. */
  #begin(nowMs: number, connection: number, bytes: number): boolean {
    if (!this.#room(bytes * 6 + entryBytesMax)) return false
    if (nowMs !== this.#headMs) {
      this.#headMs = nowMs
      this.#head = Buffer.from(`{"t":${nowMs},"c":`, 'latin1')
    }
    this.#copy(this.#head)
    this.#file.length = writeWhole(connection, this.#file.bytes, this.#file.length)
    return true
  }

  #field(name: Uint8Array, bytes: Uint8Array, start: number, end: number): void {
    const file = this.#file
    this.#copy(name)
    const shownEnd = start + shownBytes(start, end)
    file.length = copyPlainJson(viewOf(bytes), start, shownEnd, file.view, file.length)
    file.bytes[file.length++] = quote
    if (shownEnd < end) this.#copy(Buffer.from(`,"bytes":${end - start}`, 'latin1'))
  }

  #end(): void {
    const file = this.#file
    file.bytes[file.length++] = closingBrace
    file.bytes[file.length++] = LF
  }

  #copy(source: Uint8Array): void {
    const { bytes } = this.#file
    let to = this.#file.length
    for (let at = 0; at < source.length; at++) bytes[to++] = source[at] as number
    this.#file.length = to
  }

  /** Makes room for an entry; false when the disk is too slow and it must be left out. */
  #room(byteCount: number): boolean {
    if (this.#file.room(byteCount)) return true
    this.#leftOut++
    return false
  }

  #tellLeftOut(): void {
    const lines = this.#leftOut + this.#file.lostLines
    if (lines === 0) return
    this.#leftOut = 0
    this.#file.lostLines = 0
    this.event('log.left-out', { lines })
  }
}

function shownBytes(start: number, end: number): number {
  return Math.min(end - start, shownBytesMax)
}
