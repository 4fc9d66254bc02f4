import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { answerText, type DoorAnswer, faultAnswer } from './answers.ts'
import type { Client } from './client.ts'
import { Timed } from './deadlines.ts'
import { Exchange } from './exchange.ts'
import { Forwarding } from './forwarding.ts'
import type { DoorListener } from './listener.ts'
import { Outbox } from './outbox.ts'
import { ChunkedDecoder } from './parsing/chunked-decoder.ts'
import { headRead, RequestHead } from './parsing/request-head.ts'
import type { ResponseHead } from './parsing/response-head.ts'

/** Bytes of requests behind the present one that are held before reading stops. */
const heldBytesMax = 16_384
/** A closing connection goes on reading this long, so that the client can read our last answer. */
const lingerMs = 1_000

type Phase = 'head' | 'exchange' | 'writing' | 'tunnel' | 'lingering' | 'closed'
type BodyKind = 'none' | 'length' | 'chunked'

/**
 * One HTTP/1 connection of a client: reads heads and bodies by the strict rules, runs one exchange
 * after the other, and writes the answers in the order of the requests.
 *
 *   head ─▶ exchange ─▶ head …      exchange ─▶ tunnel       any ─▶ lingering ─▶ closed
 *               └─▶ writing ─▶ head (the client has to take the answer before its next request)
 */
export class ClientConnection extends Timed implements Client {
  readonly forwarding: Forwarding
  readonly secure: boolean
  readonly #listener: DoorListener
  readonly #socket: Socket
  readonly #outbox: Outbox
  readonly #head = new RequestHead()
  readonly #exchange: Exchange
  #phase: Phase = 'head'
  /** Requests read or begun while another is answered, or the beginning of a head. */
  #held: Buffer | undefined
  #body: BodyKind = 'none'
  #left = 0
  #decoder: ChunkedDecoder | undefined
  #reading = false
  #paused = false
  #keepAlive = true
  #chunkedAnswer = false
  #answerBegun = false
  /** Nothing but the end of the connection ends the present answer. */
  #untilClose = false
  #begunHead = false
  /** An empty line was already forgiven before the present head. */
  #emptyLine = false

  constructor(listener: DoorListener, socket: Socket, address: string, secure: boolean) {
    super()
    this.#listener = listener
    this.#socket = socket
    this.#outbox = new Outbox(socket)
    this.secure = secure
    this.forwarding = new Forwarding(address, secure, listener.trust(address))
    this.#exchange = new Exchange(listener, this, this.#head)
    socket.on('end', () => this.#ended())
    socket.on('error', () => this.#gone())
    socket.on('close', () => this.#gone())
    socket.on('drain', () => this.#drained())
    listener.context.deadlines.add(this)
    this.deadlineMs = listener.context.deadlines.in(listener.plan.timeouts.headMs)
  }

  /** Holds when nothing is under way, so that closing costs nobody an answer. */
  get idle(): boolean {
    return this.#phase === 'head' && !this.#begunHead
  }

  /** Closes at once when idle, else behind the answer under way. */
  retire(): void {
    this.#keepAlive = false
    if (this.idle) this.#socket.destroySoon()
  }

  destroy(): void {
    this.#socket.destroy()
    this.#gone()
  }

  /** Takes what the socket received; the bytes are only lent. */
  receive(bytes: Buffer, length: number): void {
    if (this.#phase === 'tunnel') {
      this.#exchange.clientBytes(bytes, 0, length)
      this.#exchange.clientFlush()
    } else if (this.#phase !== 'lingering' && this.#phase !== 'closed') {
      if (this.#held) this.#readHeld(bytes.subarray(0, length))
      else this.#read(bytes, length)
    }
  }

  override expire(): void {
    if (this.#phase === 'head' && this.#begunHead) {
      this.#refuse(408, 'head not complete in time', this.#held ?? Buffer.alloc(0))
      return
    }
    this.destroy()
  }

  // Reading

  #readHeld(more: Buffer): void {
    const held = this.#held ? Buffer.concat([this.#held, more]) : more
    this.#held = undefined
    this.#read(held, held.length)
  }

  /** Reads as many requests as are there; stops at the first that has to wait for its answer. */
  #read(bytes: Buffer, end: number): void {
    this.#reading = true
    let at = 0
    while (at < end && this.#phase !== 'closed' && this.#phase !== 'lingering') {
      if (this.#phase === 'tunnel') {
        this.#exchange.clientBytes(bytes, at, end)
        at = end
      } else if (this.#body !== 'none') at = this.#readBody(bytes, at, end)
      else if (this.#phase === 'exchange' || this.#phase === 'writing') {
        this.#hold(bytes, at, end)
        at = end
      } else at = this.#readHead(bytes, at, end)
    }
    this.#reading = false
    if (this.#exchange.busy) this.#exchange.clientFlush()
  }

  #readHead(bytes: Buffer, from: number, end: number): number {
    const { plan } = this.#listener
    const at = this.#emptyLine ? from : this.#skipEmptyLine(bytes, from, end)
    if (at === end) return end
    const next = this.#head.read(bytes, at, end, plan.limits, this.forwarding.trusted)
    if (next === headRead.incomplete) return this.#holdHead(bytes, at, end)
    if (next === headRead.refused) {
      this.#refuse(this.#head.status, this.#head.reason, bytes.subarray(at, end))
      return end
    }
    this.#begin()
    return next
  }

  /** One empty line before a request is forgiven: old clients send it behind a body. */
  #skipEmptyLine(bytes: Buffer, at: number, end: number): number {
    if (bytes[at] !== 13) return at
    if (at + 1 === end) return this.#holdHead(bytes, at, end)
    if (bytes[at + 1] !== 10) return at
    this.#emptyLine = true
    return at + 2
  }

  /** Keeps the beginning of a head; from its first byte on the client has `headMs` for the rest. */
  #holdHead(bytes: Buffer, at: number, end: number): number {
    if (!this.#begunHead) {
      this.#begunHead = true
      const { context, plan } = this.#listener
      this.deadlineMs = context.deadlines.in(plan.timeouts.headMs)
    }
    this.#held = Buffer.from(bytes.subarray(at, end))
    return end
  }

  #begin(): void {
    const { contentLength } = this.#head
    const { bodyBytesMax } = this.#listener.plan.limits
    this.#begunHead = false
    this.#emptyLine = false
    this.deadlineMs = Number.POSITIVE_INFINITY
    this.#phase = 'exchange'
    this.#keepAlive = this.#keepAlive && this.#head.keepAlive && !this.#listener.retiring
    this.#body = contentLength === 0 ? 'none' : contentLength > 0 ? 'length' : 'chunked'
    this.#left = contentLength
    this.#decoder = contentLength < 0 ? new ChunkedDecoder() : undefined
    if (bodyBytesMax > 0 && contentLength > bodyBytesMax) this.#refuseBody()
    else this.#exchange.begin()
  }

  #refuseBody(): void {
    const message = `the body is over ${this.#listener.plan.limits.bodyBytesMax} bytes`
    this.#exchange.clientGone()
    if (this.#answerBegun) this.cut()
    else this.sendAnswer(faultAnswer('BODY_TOO_LARGE', message, this.#head.path))
  }

  #readBody(bytes: Buffer, at: number, end: number): number {
    if (this.#decoder) return this.#readChunks(this.#decoder, bytes, at, end)
    const to = Math.min(end, at + this.#left)
    this.#left -= to - at
    this.#exchange.clientBytes(bytes, at, to)
    if (this.#left === 0) this.#endBody('')
    return to
  }

  #readChunks(decoder: ChunkedDecoder, bytes: Buffer, at: number, end: number): number {
    const { bodyBytesMax } = this.#listener.plan.limits
    const next = decoder.read(bytes, at, end, (piece, from, to) =>
      this.#exchange.clientBytes(piece, from, to),
    )
    if (next < 0) {
      this.#exchange.clientGone()
      this.#refuse(400, decoder.reason, bytes.subarray(at, end))
      return end
    }
    if (bodyBytesMax > 0 && this.#exchange.body.bytes > bodyBytesMax) {
      this.#refuseBody()
      return end
    }
    if (decoder.done) this.#endBody(decoder.trailers)
    return next
  }

  #endBody(trailers: string): void {
    this.#body = 'none'
    this.#decoder = undefined
    this.#exchange.clientEnd(trailers)
  }

  /** Keeps pipelined bytes until the present answer is written; too many stop the reading. */
  #hold(bytes: Buffer, at: number, end: number): void {
    const rest = bytes.subarray(at, end)
    this.#held = this.#held ? Buffer.concat([this.#held, rest]) : Buffer.from(rest)
    if (this.#held.length >= heldBytesMax) this.pauseBody()
  }

  pauseBody(): void {
    if (this.#paused) return
    this.#paused = true
    this.#socket.pause()
  }

  resumeBody(): void {
    if (!this.#paused || (this.#held && this.#held.length >= heldBytesMax)) return
    this.#paused = false
    this.#socket.resume()
  }

  // Writing

  sendInformational(head: ResponseHead): void {
    if (this.#head.minor === 0) return
    this.#outbox.text(`HTTP/1.1 ${head.statusText}\r\n${head.lines}\r\n`)
  }

  sendHead(head: ResponseHead, lines: string): void {
    this.#answerBegun = true
    let text = `HTTP/1.1 ${head.statusText}\r\n${head.lines}${lines}`
    this.#chunkedAnswer = head.bodyLength < 0 && this.#head.minor === 1
    if (this.#chunkedAnswer) text += 'transfer-encoding: chunked\r\n'
    else if (head.declaredLength >= 0) text += `content-length: ${head.declaredLength}\r\n`
    else if (head.bodyLength < 0) {
      this.#keepAlive = false
      this.#untilClose = true
    }
    this.#outbox.text(`${text}${this.#connectionLine()}\r\n`)
  }

  sendBytes(bytes: Buffer, from: number, to: number): void {
    if (this.#chunkedAnswer && this.#phase !== 'tunnel') {
      this.#outbox.text(`${(to - from).toString(16)}\r\n`)
      this.#outbox.bytes(bytes, from, to)
      this.#outbox.text('\r\n')
    } else this.#outbox.bytes(bytes, from, to)
  }

  sendEnd(trailers: string): void {
    if (this.#chunkedAnswer) this.#outbox.text(`0\r\n${trailers}\r\n`)
    this.#chunkedAnswer = false
    this.#answerBegun = false
    this.#next()
  }

  sendAnswer(answer: DoorAnswer): void {
    if (this.#body !== 'none') this.#keepAlive = false
    this.#outbox.text(answerText(answer, this.#head.method, this.#connectionLine()))
    this.#next()
  }

  sendUpgrade(head: ResponseHead): void {
    this.#phase = 'tunnel'
    this.#chunkedAnswer = false
    this.#socket.setKeepAlive(true, 60_000)
    this.#outbox.text(
      `HTTP/1.1 ${head.statusText}\r\n${head.lines}connection: upgrade\r\nupgrade: ${head.upgrade}\r\n\r\n`,
    )
    const held = this.#held
    this.#held = undefined
    this.resumeBody()
    if (!held) return
    this.#exchange.clientBytes(held, 0, held.length)
    this.#exchange.clientFlush()
  }

  /** What was gathered still goes out; both sides ended, the socket closes by itself. */
  endTunnel(): void {
    this.#outbox.flush()
    this.#socket.end()
  }

  /** An answer that ends with the connection would look whole: only a reset tells that it is not. */
  cut(): void {
    this.#outbox.flush()
    if (this.#untilClose) this.#socket.resetAndDestroy()
    this.destroy()
  }

  flush(): boolean {
    return this.#outbox.flush()
  }

  #connectionLine(): string {
    if (!this.#keepAlive) return 'connection: close\r\n'
    return this.#head.minor === 0 ? 'connection: keep-alive\r\n' : ''
  }

  /** The answer is written: on to the next request, or to the end of the connection. */
  #next(): void {
    if (this.#phase === 'closed') return
    if (!this.#keepAlive || this.#body !== 'none') this.#linger()
    else if (this.#outbox.flush()) this.#ready()
    else {
      this.#phase = 'writing'
      this.deadlineMs = this.#listener.context.deadlines.in(this.#listener.plan.timeouts.stallMs)
    }
  }

  #ready(): void {
    this.#phase = 'head'
    this.deadlineMs = this.#listener.context.deadlines.in(this.#listener.plan.timeouts.idleMs)
    if (this.#reading) return
    const held = this.#held
    this.#held = undefined
    this.resumeBody()
    if (held) this.#read(held, held.length)
  }

  /** Everything was taken by the client, or by its system. */
  #drained(): void {
    if (this.#phase !== 'writing') this.#exchange.clientWritable()
    else if (this.#keepAlive) this.#ready()
    else this.#linger()
  }

  /** Answers a request that broke the rules, keeps it for people to see, and closes. */
  #refuse(status: number, reason: string, bytes: Buffer): void {
    this.#listener.countRefused(this.forwarding.address, status, reason, bytes)
    if (this.#answerBegun) {
      this.cut()
      return
    }
    this.#keepAlive = false
    const body = JSON.stringify({ status, code: 'REQUEST_REFUSED', detail: reason, retry: 'never' })
    this.#outbox.text(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n` +
        `content-type: application/problem+json\r\ncontent-length: ${body.length}\r\n` +
        `connection: close\r\n\r\n${body}`,
    )
    this.#linger()
  }

  /**
   * Ends our side and forgets what still comes: closing with unread bytes would make the system
   * send a reset, which can destroy the answer before the client has read it.
   */
  #linger(): void {
    const { deadlines } = this.#listener.context
    this.#outbox.flush()
    this.#phase = 'lingering'
    this.#held = undefined
    this.deadlineMs = deadlines.in(this.#listener.plan.timeouts.stallMs)
    this.#socket.end(() => {
      this.deadlineMs = deadlines.in(lingerMs)
    })
    this.#paused = false
    this.#socket.resume()
  }

  /** The client will send no more: what it asked for before is still written, if it is there. */
  #ended(): void {
    if (this.#phase === 'tunnel') this.#exchange.clientTunnelEnd()
    else if (this.#phase === 'head' || this.#phase === 'writing') this.#socket.destroySoon()
    else if (this.#phase !== 'lingering') this.destroy()
  }

  #gone(): void {
    if (this.#phase === 'closed') return
    this.#phase = 'closed'
    this.#held = undefined
    this.#listener.context.deadlines.remove(this)
    this.#exchange.clientGone()
    this.#listener.forget(this)
  }
}
