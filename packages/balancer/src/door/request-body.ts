import type { Outbox } from './outbox.ts'

/** Bytes of a request body that are kept, so that it can be sent again. */
const keptBytesMax = 65_536

/**
 * The body of one request on its way to a replica. Its first bytes are kept until the answer
 * begins: they are what a second attempt starts with. Framing is written here and nowhere else.
 */
export class RequestBody {
  /** The client has sent all of it. */
  complete = true
  /** Bytes so far. */
  bytes = 0
  #chunked = false
  #trailers = ''
  #kept: Buffer[] = []
  #lost = false

  /** Begins a body of `contentLength` bytes (-1: chunked, 0: none). */
  begin(contentLength: number): void {
    this.complete = contentLength === 0
    this.bytes = 0
    this.#chunked = contentLength === -1
    this.#trailers = ''
    this.#lost = false
    if (this.#kept.length > 0) this.#kept = []
  }

  /** Holds when everything so far can be sent again. */
  get repeatable(): boolean {
    return !this.#lost
  }

  /** Holds when as much is kept as may be: no more should be read before it can be sent. */
  get full(): boolean {
    return this.bytes >= keptBytesMax
  }

  /** Keeps a copy of bytes that came from the client, as long as there is room. */
  keep(bytes: Buffer, from: number, to: number): void {
    this.bytes += to - from
    if (this.#lost) return
    this.#kept.push(Buffer.from(bytes.subarray(from, to)))
  }

  /** Gives up what was kept: the body can no longer be sent again. */
  lose(): void {
    this.#lost = true
    this.#kept = []
  }

  end(trailers: string): void {
    this.complete = true
    this.#trailers = trailers
  }

  /** Writes what was kept, from the beginning of the body. */
  replay(outbox: Outbox): void {
    for (const piece of this.#kept) this.write(outbox, piece, 0, piece.length)
  }

  write(outbox: Outbox, bytes: Buffer, from: number, to: number): void {
    // A chunk of no bytes would end the body.
    if (to === from) return
    if (!this.#chunked) {
      outbox.bytes(bytes, from, to)
      return
    }
    outbox.text(`${(to - from).toString(16)}\r\n`)
    outbox.bytes(bytes, from, to)
    outbox.text('\r\n')
  }

  /** Writes the end of the body, when it has one of its own. */
  writeEnd(outbox: Outbox): void {
    if (this.#chunked) outbox.text(`0\r\n${this.#trailers}\r\n`)
  }
}
