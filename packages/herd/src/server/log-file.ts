import { close, fstatSync, mkdirSync, openSync, renameSync, write } from 'node:fs'
import { dirname } from 'node:path'
import { LF } from '../protocol/bytes.ts'

/** A file that grows for ever, and is parted. */
export interface LogFileOptions {
  /** The file; its directory is made. The older ones are this with .1, .2 … */
  readonly file: string
  /** A file that has grown to this many bytes becomes `.1`, and a new one begins. */
  readonly fileBytesMax: number
  /** How many older files are kept. */
  readonly olderFilesMax: number
  /** Called whenever the disk has taken something. */
  readonly onTaken: () => void
}

/** What is written at a time. */
const pieceBytes = 262_144
/** What may wait for a slow disk. */
const waitingBytesMax = 16 * 1_048_576
/** Pieces that were written are filled again: new ones would be given page by page by the system. */
const sparesMax = 4

/** A piece that waits to be written. */
interface Piece {
  readonly bytes: Buffer
  readonly end: number
}

/**
 * Writes a log in large pieces by node's threads. What is put together now lies in `bytes`, before
 * `length`; whoever appends asks for `room` first.
 */
export class LogFile {
  bytes: Buffer = Buffer.allocUnsafeSlow(pieceBytes)
  view: DataView = new DataView(this.bytes.buffer)
  length = 0
  /** Lines that the disk refused; whoever tells of them sets it back. */
  lostLines = 0
  readonly #options: LogFileOptions
  readonly #full: Piece[] = []
  readonly #spares: Buffer[] = []
  #descriptor: number
  #fileBytes: number
  #waitingBytes = 0
  /** Of the first waiting piece so much has been written. */
  #written = 0
  #isWriting = false
  #whenIdle: (() => void) | undefined

  /** Opens the file. Throws when it cannot be written. */
  constructor(options: LogFileOptions) {
    this.#options = options
    mkdirSync(dirname(options.file), { recursive: true })
    this.#descriptor = openSync(options.file, 'a')
    this.#fileBytes = fstatSync(this.#descriptor).size
  }

  /** Makes room for so many bytes; false when the disk is too slow and they must be left out. */
  room(byteCount: number): boolean {
    if (this.length + byteCount <= pieceBytes) return true
    if (this.#waitingBytes > waitingBytesMax || byteCount > pieceBytes) return false
    this.flush()
    return true
  }

  /** Has what was put together written. */
  flush(): void {
    if (this.length > 0) {
      this.#full.push({ bytes: this.bytes, end: this.length })
      this.#waitingBytes += this.length
      this.bytes = this.#spares.pop() ?? Buffer.allocUnsafeSlow(pieceBytes)
      this.view = new DataView(this.bytes.buffer)
      this.length = 0
    }
    this.#writeNext()
  }

  /** Writes what waits and closes the file. */
  async close(): Promise<void> {
    this.flush()
    if (this.#isWriting)
      await new Promise<void>((resolve) => {
        this.#whenIdle = resolve
      })
    await new Promise<void>((resolve) => close(this.#descriptor, () => resolve()))
  }

  #writeNext(): void {
    const next = this.#full[0]
    if (this.#isWriting || !next) return
    this.#rotate()
    this.#isWriting = true
    const { bytes, end } = next
    write(this.#descriptor, bytes, this.#written, end - this.#written, null, (error, written) => {
      this.#isWriting = false
      // A full disk loses lines of the log, never an answer.
      if (error)
        this.lostLines += bytes.subarray(this.#written, end).filter((byte) => byte === LF).length
      this.#took(next, error ? end - this.#written : written)
      if (!error) {
        this.#fileBytes += written
        this.#options.onTaken()
      }
      if (this.#full.length > 0) this.#writeNext()
      else this.#whenIdle?.()
    })
  }

  #took(piece: Piece, byteCount: number): void {
    this.#written += byteCount
    this.#waitingBytes -= byteCount
    if (this.#written < piece.end) return
    this.#written = 0
    this.#full.shift()
    if (this.#spares.length < sparesMax) this.#spares.push(piece.bytes)
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

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
