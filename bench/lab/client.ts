import { connect, type Socket } from 'node:net'
import { type Answer, AnswerMalformed, AnswerReader } from './answer-reader.ts'

/** Where and what a client asks. */
export interface ClientPlan {
  readonly host: string
  readonly port: number
  readonly method: string
  /** The request as it goes over the wire, without the generated body. */
  readonly request: Buffer
  /** Bytes of body that are generated after it, as fast as the other side takes them. */
  readonly bodyBytes: number
  readonly keepBody: boolean
}

/** How one request ended. */
export type Ending =
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly reason: string }

const chunk = Buffer.alloc(256 * 1_024, 'drover ')

/**
 * One connection that sends one request at a time and never repeats one: whatever happens to a
 * request that was begun is its ending. A connection that the server closed between two requests is
 * opened again for the next.
 */
export class Client {
  readonly #plan: ClientPlan
  readonly #ended: (client: Client, ending: Ending) => void
  #socket: Socket | undefined
  #reader: AnswerReader
  #isOpen = false
  #isBusy = false
  /** Bytes of the generated body that are not written yet. */
  #bodyLeft = 0
  /** When the request under way was begun, or due, in ms of `performance.now()`. */
  sinceMs = 0
  bytesRead = 0

  constructor(plan: ClientPlan, ended: (client: Client, ending: Ending) => void) {
    this.#plan = plan
    this.#ended = ended
    this.#reader = new AnswerReader(plan)
  }

  get isBusy(): boolean {
    return this.#isBusy
  }

  /** Sends the request, on the open connection or a new one. */
  send(sinceMs: number): void {
    this.#isBusy = true
    this.sinceMs = sinceMs
    const socket = this.#socket ?? this.#connect()
    this.#bodyLeft = this.#plan.bodyBytes
    socket.write(this.#plan.request)
    if (this.#bodyLeft > 0) this.#pump(socket)
  }

  /** Writes body until the socket is full; goes on when it has room again. */
  #pump(socket: Socket): void {
    while (this.#bodyLeft > 0 && this.#socket === socket) {
      const part = this.#bodyLeft < chunk.length ? chunk.subarray(0, this.#bodyLeft) : chunk
      this.#bodyLeft -= part.length
      if (!socket.write(part)) break
    }
    if (this.#bodyLeft > 0) socket.once('drain', () => this.#pump(socket))
  }

  /** Ends the request under way as failed, and the connection with it. */
  fail(reason: string): void {
    this.#drop()
    this.#end({ kind: 'failed', reason })
  }

  /** Closes the connection. */
  close(): void {
    this.#drop()
  }

  #connect(): Socket {
    const { host, port } = this.#plan
    const socket = connect({ host, port, noDelay: true })
    this.#socket = socket
    this.#isOpen = false
    this.#reader = new AnswerReader(this.#plan)
    socket.on('connect', () => {
      this.#isOpen = true
    })
    socket.on('data', (chunk) => this.#read(chunk))
    socket.on('end', () => {
      if (this.#socket === socket) this.#closed('closed')
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (this.#socket === socket) this.#closed(error.code ?? error.message)
    })
    socket.on('close', () => {
      if (this.#socket === socket) this.#closed('closed')
    })
    return socket
  }

  #read(chunk: Buffer): void {
    this.bytesRead += chunk.length
    if (!this.#isBusy) {
      this.#drop()
      return
    }
    try {
      const answer = this.#reader.push(chunk)
      if (answer !== undefined) this.#answered(answer)
    } catch (error) {
      if (!(error instanceof AnswerMalformed)) throw error
      this.fail(`malformed: ${error.message}`)
    }
  }

  #answered(answer: Answer): void {
    if (!answer.keepAlive || this.#bodyLeft > 0) this.#drop()
    this.#end({ kind: 'answered', answer })
  }

  /** The connection is gone: between two requests that is no failure. */
  #closed(how: string): void {
    const wasOpen = this.#isOpen
    const isWithin = this.#reader.isWithin
    this.#drop()
    if (!this.#isBusy) return
    const answer = how === 'closed' ? this.#reader.end() : undefined
    if (answer !== undefined) this.#end({ kind: 'answered', answer })
    else if (!wasOpen) this.#end({ kind: 'failed', reason: `connect: ${how}` })
    else
      this.#end({ kind: 'failed', reason: `${how} ${isWithin ? 'within' : 'before'} the answer` })
  }

  #drop(): void {
    const socket = this.#socket
    this.#socket = undefined
    this.#isOpen = false
    socket?.destroy()
  }

  #end(ending: Ending): void {
    this.#isBusy = false
    this.#ended(this, ending)
  }
}
