import type { Socket } from 'node:net'
import type { Cancel, Clock } from '@drover/kernel'
import { Fifo } from '../flood/fifo.ts'
import type { Ticket } from '../flood/ticket.ts'
import { latin1 } from '../protocol/bytes.ts'
import type { KeptBytes } from '../protocol/kept-bytes.ts'
import { LineReader } from '../protocol/line-reader.ts'
import type { ActivityLog } from './activity-log.ts'
import { AnswerBuffer } from './answer-buffer.ts'
import { QuickWriter } from './quick-write.ts'

/** What a connection asks of the server for each line. */
export interface LineHandler {
  /** Wall time when the last line was answered, in ms. */
  readonly nowMs: number
  /**
   * Answers one line: appends to `answers` and returns what to wait for before they may leave, a
   * promise for an answer that comes later, or nothing.
   */
  line(
    bytes: Uint8Array,
    start: number,
    end: number,
    answers: AnswerBuffer,
  ): Ticket | Promise<Buffer> | undefined
}

/** How a connection behaves. */
export interface ConnectionOptions {
  readonly clock: Clock
  readonly log: ActivityLog | undefined
  readonly handler: LineHandler
  /** What all connections together keep of lines that have not ended. */
  readonly kept: KeptBytes
  /** A partial line counts as a line after this long; 0: never. */
  readonly partialLineMs: number
  /** A connection without a byte in either direction is closed after this long; 0: never. */
  readonly idleMs: number
  onClose(connection: ClientConnection): void
}

/** Of a line that is too long or holds a NUL so much is sent back. */
const brokenShownBytes = 1_024
/** Answers that wait for a client to read; then nothing more is read from it. */
const answersWaitingMax = 1_048_576
/** Questions of one connection that wait for places; then nothing more is read from it. */
const promisesMax = 16
/** A client that reads nothing of what waits for it is dropped after this long. */
const stalledMs = 30_000
/** After the last answer the client has so long to close its side. */
const lingerMs = 1_000

/** Every turn is handled to its end before the next, so one buffer serves all connections. */
const answers = new AnswerBuffer()

interface Segment {
  bytes: Buffer | undefined
}

/**
 * One client's connection: bytes in, answers out in the order of the lines. An answer that must wait
 * (for neighbours, for places) holds back those after it, never the reading of more lines; until
 * too much waits.
 */
export class ClientConnection {
  readonly id: number
  readonly #socket: Socket
  readonly #options: ConnectionOptions
  readonly #reader: LineReader
  readonly #writer: QuickWriter
  readonly #segments = new Fifo<Segment>()
  #waitingBytes = 0
  #promises = 0
  #hasEnded = false
  #isClosing = false
  #isStopped = false
  #isGone = false
  #turnTicket: Ticket | undefined
  #cancelPartial: Cancel | undefined
  #cancelLinger: Cancel | undefined
  /** Set by every byte in either direction, cleared by every check. */
  #isActive = true
  #activeAtMs: number

  constructor(id: number, socket: Socket, options: ConnectionOptions) {
    this.id = id
    this.#socket = socket
    this.#options = options
    this.#activeAtMs = options.clock.monotonic()
    this.#writer = new QuickWriter(socket, () => this.#drained())
    const sink = {
      line: (bytes: Uint8Array, start: number, end: number) => this.#line(bytes, start, end),
      broken: (bytes: Uint8Array, start: number, end: number) => this.#broken(bytes, start, end),
    }
    this.#reader = new LineReader(sink, options.kept)
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 30_000)
    socket.on('end', () => this.#end())
    socket.on('drain', () => this.#drained())
    socket.on('error', () => {}) // 'close' follows and says enough.
    socket.on('close', () => this.#gone())
  }

  /** Takes bytes from the socket; lent for the time of the call. */
  receive(bytes: Uint8Array, length: number): void {
    if (this.#isClosing || this.#isGone) return
    this.#isActive = true
    this.#cancelPartial?.()
    this.#reader.push(bytes, length)
    this.#endTurn()
    const { partialLineMs, clock } = this.#options
    if (partialLineMs > 0 && this.#reader.keptBytes > 0 && !this.#isStopped)
      this.#cancelPartial = clock.after(partialLineMs, () => {
        this.#reader.flush()
        this.#endTurn()
      })
  }

  /** Looks whether the connection should be given up; called now and then. */
  check(nowMs: number): void {
    const { idleMs } = this.#options
    if (this.#isActive) this.#activeAtMs = nowMs
    this.#isActive = false
    const quietMs = nowMs - this.#activeAtMs
    if (this.#writer.waitingBytes > 0 && quietMs > stalledMs) this.#socket.destroy()
    else if (idleMs > 0 && quietMs > idleMs && this.#segments.length === 0) this.#finish()
  }

  /** Bytes of answers that the client has not read, or that wait for their turn. */
  get unreadBytes(): number {
    return this.#waitingBytes + this.#writer.waitingBytes
  }

  /** Ends the connection at once. */
  drop(): void {
    this.#socket.destroy()
  }

  /** Ends the connection after what has been answered. */
  close(): void {
    this.#finish()
  }

  #line(bytes: Uint8Array, start: number, end: number): boolean {
    const { log, handler } = this.#options
    const before = answers.length
    const outcome = handler.line(bytes, start, end, answers)
    if (log && answers.length > before)
      log.exchange(
        handler.nowMs,
        this.id,
        bytes,
        start,
        end,
        answers.bytes,
        before,
        answers.length - 1,
      )
    else log?.input(handler.nowMs, this.id, bytes, start, end)
    if (outcome instanceof Promise) this.#await(outcome, latin1(bytes, start, end))
    else if (outcome !== undefined) this.#turnTicket = outcome
    // What a turn has answered is bounded, too: 64 KiB of short lines may ask for much more.
    this.#isStopped = this.#promises >= promisesMax || answers.length >= answersWaitingMax
    return !this.#isStopped
  }

  #broken(bytes: Uint8Array, start: number, end: number): void {
    const shownEnd = Math.min(end, start + brokenShownBytes)
    this.#options.log?.input(this.#options.clock.now(), this.id, bytes, start, end)
    answers.complain(bytes, start, shownEnd)
    this.#isClosing = true
    this.#hasEnded = true
  }

  /** The answer comes later; those before it stay before it. */
  #await(answer: Promise<Buffer>, line: string): void {
    this.#sealTurn()
    const segment: Segment = { bytes: undefined }
    this.#segments.push(segment)
    this.#promises++
    void answer.then(
      (bytes) => this.#arrive(segment, bytes),
      // The handler turns every expected failure into an answer; this one is a fault of ours.
      () => this.#arrive(segment, Buffer.from(`? ${line}\n`, 'latin1')),
    )
  }

  #arrive(segment: Segment, bytes: Buffer): void {
    this.#promises--
    segment.bytes = bytes
    this.#waitingBytes += bytes.length
    this.#options.log?.output(this.id, bytes, 0, bytes.length - 1)
    this.#send()
    this.#goOn()
  }

  /** Everything of this turn is answered: sends it, or keeps it until its ticket is done. */
  #endTurn(): void {
    if (answers.length > 0 && !this.#turnTicket && this.#segments.length === 0) {
      if (this.#write(answers.written)) answers.abandon()
      answers.length = 0
    } else this.#sealTurn()
    this.#afterSending()
  }

  #sealTurn(): void {
    if (answers.length === 0) return
    const ticket = this.#turnTicket
    const bytes = Buffer.from(answers.bytes.subarray(0, answers.length))
    answers.length = 0
    this.#turnTicket = undefined
    const segment: Segment = { bytes: ticket ? undefined : bytes }
    this.#segments.push(segment)
    this.#waitingBytes += bytes.length
    if (!ticket) this.#send()
    ticket?.whenDone(() => {
      segment.bytes = bytes
      this.#send()
      this.#goOn()
    })
  }

  /** Sends the answers whose turn has come. */
  #send(): void {
    while (this.#segments.peek()?.bytes) {
      const { bytes } = this.#segments.shift() as { bytes: Buffer }
      this.#waitingBytes -= bytes.length
      this.#write(bytes)
    }
    this.#afterSending()
  }

  /** True when the bytes are still needed. */
  #write(bytes: Buffer): boolean {
    if (this.#isGone) return false
    this.#isActive = true
    return this.#writer.write(bytes)
  }

  #afterSending(): void {
    if (this.unreadBytes >= answersWaitingMax) this.#isStopped = true
    if (this.#isStopped) this.#socket.pause()
    if (this.#hasEnded && !this.#isStopped && this.#segments.length === 0) this.#finish()
  }

  #drained(): void {
    this.#isActive = true
    this.#goOn()
  }

  /** Reads on, if it had stopped and little enough waits now. */
  #goOn(): void {
    if (!this.#isStopped || this.#isGone) return
    if (this.unreadBytes >= answersWaitingMax / 4 || this.#promises >= promisesMax) return
    this.#isStopped = false
    this.#reader.resume()
    if (this.#hasEnded && !this.#isStopped) this.#reader.flush()
    this.#endTurn()
    if (!this.#isStopped) this.#socket.resume()
  }

  /** The client has closed its side: what it began is a line, too. */
  #end(): void {
    this.#cancelPartial?.()
    this.#hasEnded = true
    if (!this.#isStopped) this.#reader.flush()
    this.#endTurn()
  }

  /** Every answer has been handed over: closes this side, and soon the rest. */
  #finish(): void {
    this.#hasEnded = true
    this.#isClosing = true
    if (this.#cancelLinger || this.#isGone) return
    this.#socket.resume()
    this.#socket.end()
    this.#cancelLinger = this.#options.clock.after(lingerMs, () => this.#socket.destroy())
  }

  #gone(): void {
    this.#isGone = true
    this.#cancelPartial?.()
    this.#cancelLinger?.()
    this.#reader.close()
    this.#options.onClose(this)
  }
}
