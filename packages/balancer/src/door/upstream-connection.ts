import type { Socket } from 'node:net'
import { type Deadlines, Timed } from './deadlines.ts'
import { Outbox } from './outbox.ts'
import { ChunkedDecoder } from './parsing/chunked-decoder.ts'
import { headRead } from './parsing/request-line.ts'
import { bodyLength, ResponseHead, responseHeadBytesMost } from './parsing/response-head.ts'
import { connectReading } from './sockets.ts'

/** How a connection to a replica failed. */
export type UpstreamFailure =
  /** It was never made: the replica saw nothing. */
  | 'connect'
  /** It had served before and died before the first byte of this answer: most likely of old age. */
  | 'stale'
  /** It died before the first byte of the answer. */
  | 'silent'
  /** It died, or broke the rules, within the answer. */
  | 'broken'

/** Who uses a connection for one request; told everything in the order of the answer. */
export interface UpstreamUser {
  readonly method: string
  connected(): void
  informational(head: ResponseHead): void
  answered(head: ResponseHead): void
  answerBytes(bytes: Buffer, from: number, to: number): void
  /** The answer is complete; the connection is free already. */
  answerEnded(trailers: string): void
  /** The replica changes the protocol; what follows comes as `answerBytes`, then `answerEnded`. */
  upgraded(head: ResponseHead): void
  failed(failure: UpstreamFailure, reason: string): void
  /** Everything of one read has been told: time to write it. False: the client is slow. */
  flush(): boolean
  /** The replica takes more bytes again. */
  writable(): void
}

/** Where a free connection goes. */
export interface UpstreamOwner {
  readonly host: string
  readonly port: number
  /** Takes a connection back, or destroys it. */
  release(connection: UpstreamConnection): void
  forget(connection: UpstreamConnection): void
}

/** How long a tunnel that ended may take to write what is left, in ms. */
const letGoMs = 30_000

type Phase = 'connecting' | 'idle' | 'head' | 'body' | 'tunnel' | 'closed'

/**
 * One HTTP/1.1 connection to a replica. It serves one request after the other:
 *
 *   connecting ─▶ idle ─▶ head ─▶ body ─▶ idle …      (`tunnel` behind a 101)
 *
 * It goes back to its owner only when request and answer were cleanly framed and nothing is left;
 * anything else closes it.
 */
export class UpstreamConnection extends Timed {
  readonly socket: Socket
  readonly outbox: Outbox
  readonly head = new ResponseHead()
  /** It served a request before this one. */
  reused = false
  /** In ms of `Deadlines.nowMs`. */
  idleSinceMs = 0
  /** The request was written to its end; until then the connection cannot be used again. */
  requestSent = false
  readonly #owner: UpstreamOwner
  readonly #deadlines: Deadlines
  #user: UpstreamUser | undefined
  #phase: Phase = 'connecting'
  #left = 0
  #decoder: ChunkedDecoder | undefined
  #held: Buffer | undefined
  #paused = false

  constructor(owner: UpstreamOwner, deadlines: Deadlines, user: UpstreamUser) {
    super()
    this.#owner = owner
    this.#deadlines = deadlines
    this.#user = user
    const { host, port } = owner
    this.socket = connectReading({ host, port }, (bytes, length) => this.#receive(bytes, length))
    this.outbox = new Outbox(this.socket)
    this.socket.on('connect', () => this.#connected())
    this.socket.on('end', () => this.#ended())
    this.socket.on('error', (error) => this.#lost(error.message))
    this.socket.on('close', () => this.#lost('connection closed'))
    this.socket.on('drain', () => this.#user?.writable())
    deadlines.add(this)
  }

  /** Gives the connection to a new user, who writes a request to `outbox` next. */
  use(user: UpstreamUser): void {
    this.#user = user
    this.#phase = 'head'
    this.reused = true
    this.requestSent = false
    this.deadlineMs = Number.POSITIVE_INFINITY
  }

  /** Makes the connection wait for its next user, at most until `deadlineMs`. */
  rest(deadlineMs: number): void {
    this.idleSinceMs = this.#deadlines.nowMs
    this.deadlineMs = deadlineMs
  }

  /** Closes the connection at once; its user is told nothing. */
  destroy(): void {
    this.#user = undefined
    this.#close()
  }

  /** Leaves a tunnel whose two sides have ended: what is still to be written goes out first. */
  letGo(): void {
    this.#user = undefined
    this.deadlineMs = this.#deadlines.in(letGoMs)
  }

  /** Goes on reading after `flush` said that the client is slow. */
  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.socket.resume()
  }

  override expire(): void {
    this.destroy()
  }

  #close(): void {
    if (this.#phase === 'closed') return
    this.#phase = 'closed'
    this.#deadlines.remove(this)
    this.#owner.forget(this)
    this.socket.destroy()
  }

  #connected(): void {
    if (this.#phase !== 'connecting') return
    this.#phase = 'head'
    this.#user?.connected()
  }

  /** The replica will send no more. */
  #ended(): void {
    if (this.#phase === 'tunnel') {
      this.#user?.answerEnded('')
      return
    }
    if (this.#phase === 'body' && this.#left === bodyLength.untilClose) {
      const user = this.#user
      this.destroy()
      user?.answerEnded('')
      user?.flush()
      return
    }
    this.#lost('connection closed by the replica')
  }

  #lost(reason: string): void {
    if (this.#phase === 'closed') return
    const phase = this.#phase
    const user = this.#user
    this.destroy()
    if (phase === 'idle' || !user) return
    if (phase === 'connecting') user.failed('connect', reason)
    else if (phase !== 'head' || this.#held) user.failed('broken', reason)
    else user.failed(this.reused ? 'stale' : 'silent', reason)
  }

  #broke(reason: string): void {
    const user = this.#user
    this.destroy()
    user?.failed('broken', reason)
  }

  #receive(bytes: Buffer, length: number): void {
    const user = this.#user
    if (this.#phase === 'idle' || !user) {
      this.destroy()
      return
    }
    if (this.#phase === 'tunnel') user.answerBytes(bytes, 0, length)
    else if (this.#held) {
      const joined = Buffer.concat([this.#held, bytes.subarray(0, length)])
      this.#held = undefined
      this.#read(user, joined, joined.length)
    } else this.#read(user, bytes, length)
    if (!user.flush() && this.#user === user && !this.#paused) {
      this.#paused = true
      this.socket.pause()
    }
  }

  #read(user: UpstreamUser, bytes: Buffer, end: number): void {
    let at = 0
    if (this.#phase === 'head') {
      at = this.#readHead(user, bytes, end)
      if (at <= 0) return
    }
    if (this.#phase === 'tunnel') {
      if (at < end) user.answerBytes(bytes, at, end)
      return
    }
    if (this.#phase === 'body') this.#readBody(user, bytes, at, end)
  }

  /** Reads heads up to the final one; returns the offset behind it, or 0 when there is no more to do. */
  #readHead(user: UpstreamUser, bytes: Buffer, end: number): number {
    const head = this.head
    let at = 0
    for (let informational = 0; informational < 16; informational++) {
      const next = head.read(bytes, at, end, user.method)
      if (next === headRead.incomplete) return this.#holdHead(bytes, at, end)
      if (next === headRead.refused) {
        this.#broke(head.reason)
        return 0
      }
      at = next
      if (head.status === 101) {
        this.#phase = 'tunnel'
        user.upgraded(head)
        return at
      }
      if (head.status >= 200) {
        this.#phase = 'body'
        this.#left = head.bodyLength
        this.#decoder = head.bodyLength === bodyLength.chunked ? new ChunkedDecoder() : undefined
        user.answered(head)
        return at
      }
      user.informational(head)
      if (at === end) return 0
    }
    this.#broke('too many informational answers')
    return 0
  }

  #holdHead(bytes: Buffer, at: number, end: number): number {
    if (end - at > responseHeadBytesMost) this.#broke('head too large')
    else if (end > at) this.#held = Buffer.from(bytes.subarray(at, end))
    return 0
  }

  #readBody(user: UpstreamUser, bytes: Buffer, at: number, end: number): void {
    if (this.#user !== user) return
    if (this.#decoder) {
      this.#readChunks(user, this.#decoder, bytes, at, end)
      return
    }
    if (this.#left === bodyLength.untilClose) {
      if (end > at) user.answerBytes(bytes, at, end)
      return
    }
    const to = Math.min(end, at + this.#left)
    this.#left -= to - at
    if (to > at) user.answerBytes(bytes, at, to)
    if (this.#left === 0) this.#finish(user, '', to === end)
  }

  #readChunks(user: UpstreamUser, decoder: ChunkedDecoder, bytes: Buffer, at: number, end: number) {
    const next = decoder.read(bytes, at, end, (piece, from, to) => {
      if (this.#user === user) user.answerBytes(piece, from, to)
    })
    if (this.#user !== user) return
    if (next < 0) this.#broke(decoder.reason)
    else if (decoder.done) this.#finish(user, decoder.trailers, next === end)
  }

  #finish(user: UpstreamUser, trailers: string, nothingLeft: boolean): void {
    if (this.#user !== user) return
    this.#user = undefined
    this.#decoder = undefined
    if (nothingLeft && this.requestSent && this.head.keepAlive) {
      this.#phase = 'idle'
      this.resume()
      this.#owner.release(this)
    } else this.#close()
    user.answerEnded(trailers)
  }
}
