const headBytesMax = 65_536
const nothing: Buffer = Buffer.alloc(0)

/** What the reader found out about the answer that is complete now. */
export interface Answer {
  readonly status: number
  /** Status line and headers, latin1, without the empty line. */
  readonly head: string
  /** Without framing; empty unless the reader keeps bodies. */
  readonly body: Buffer
  /** The server will take another request on this connection. */
  readonly keepAlive: boolean
}

/** Bytes used; or the answer is complete with all of them; or none is of use until more come. */
type Taken = number | 'complete' | 'more'

/** The bytes do not follow HTTP/1.1. */
export class AnswerMalformed extends Error {
  override readonly name = 'AnswerMalformed'
}

/**
 * Reads HTTP/1.1 answers to one request at a time from a connection's bytes.
 *
 *   head ─┬─▶ length ──────────────────────────▶ complete
 *         ├─▶ chunk-size ─▶ chunk ─▶ chunk-size … ─▶ trailers ─▶ complete
 *         ├─▶ until-close (`end` completes it)
 *         └─▶ complete at once (no body), or head again (1xx)
 */
export class AnswerReader {
  #state: 'head' | 'length' | 'chunk-size' | 'chunk' | 'trailers' | 'until-close' = 'head'
  #rest: Buffer = nothing
  /** Bytes of body or chunk (with its line end) that are still to come. */
  #left = 0
  #status = 0
  #head = ''
  #bodyless: boolean
  #parts: Buffer[] = []
  readonly #keepBody: boolean

  constructor(options: { method: string; keepBody: boolean }) {
    this.#bodyless = options.method === 'HEAD'
    this.#keepBody = options.keepBody
  }

  /** Holds when bytes of an answer have come that is not complete. */
  get isWithin(): boolean {
    return this.#state !== 'head' || this.#rest.length > 0
  }

  /** Takes bytes; returns the answer when they complete it. Throws AnswerMalformed. */
  push(chunk: Buffer): Answer | undefined {
    let bytes: Buffer = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk
    this.#rest = nothing
    while (bytes.length > 0) {
      const used = this.#take(bytes)
      if (used === 'complete') return this.#complete()
      if (used === 'more') return this.#keep(bytes)
      bytes = bytes.subarray(used)
    }
    return undefined
  }

  /** The server ended the connection; returns the answer when that is how it ends. */
  end(): Answer | undefined {
    return this.#state === 'until-close' ? this.#complete() : undefined
  }

  #keep(bytes: Buffer): undefined {
    this.#rest = bytes
    if (bytes.length > headBytesMax) throw new AnswerMalformed('a line or head has no end')
  }

  /** Takes what it can use of `bytes`: how many they are, or why it stops. */
  #take(bytes: Buffer): Taken {
    switch (this.#state) {
      case 'head':
        return this.#takeHead(bytes)
      case 'length':
        return this.#takeLength(bytes)
      case 'until-close':
        return this.#takeBody(bytes, bytes.length)
      case 'chunk-size':
        return this.#takeChunkSize(bytes)
      case 'chunk':
        return this.#takeChunk(bytes)
      case 'trailers':
        return this.#takeTrailer(bytes)
    }
  }

  #takeHead(bytes: Buffer): Taken {
    const end = bytes.indexOf('\r\n\r\n')
    if (end === -1) return 'more'
    this.#head = bytes.toString('latin1', 0, end)
    const match = /^HTTP\/1\.[01] (\d{3})/.exec(this.#head)
    if (match === null) throw new AnswerMalformed(`not a status line: ${this.#head.slice(0, 60)}`)
    this.#status = Number(match[1])
    if (this.#status < 200 && this.#status !== 101) return end + 4
    const isLast = end + 4 === bytes.length
    if (this.#bodyless || this.#status === 204 || this.#status === 304 || this.#status === 101)
      return this.#endsHere(isLast)
    if (/\r\ntransfer-encoding:[^\r]*chunked/i.test(this.#head)) {
      this.#state = 'chunk-size'
      return end + 4
    }
    const length = /\r\ncontent-length:[ \t]*(\d+)/i.exec(this.#head)?.[1]
    if (length === '0') return this.#endsHere(isLast)
    this.#state = length === undefined ? 'until-close' : 'length'
    this.#left = Number(length ?? 0)
    return end + 4
  }

  #endsHere(isLast: boolean): 'complete' {
    if (!isLast) throw new AnswerMalformed('bytes follow the answer')
    return 'complete'
  }

  #takeLength(bytes: Buffer): Taken {
    if (this.#left < bytes.length) throw new AnswerMalformed('bytes follow the answer')
    const used = this.#takeBody(bytes, this.#left)
    return this.#left === 0 ? 'complete' : used
  }

  #takeBody(bytes: Buffer, most: number): number {
    const part = bytes.length <= most ? bytes : bytes.subarray(0, most)
    if (this.#keepBody) this.#parts.push(part)
    this.#left -= part.length
    return part.length
  }

  #takeChunkSize(bytes: Buffer): Taken {
    const end = bytes.indexOf('\r\n')
    if (end === -1) return 'more'
    const size = /^([0-9a-f]{1,12})[ \t]*(;.*)?$/i.exec(bytes.toString('latin1', 0, end))?.[1]
    if (size === undefined) throw new AnswerMalformed('not a chunk size')
    this.#left = Number.parseInt(size, 16)
    this.#state = this.#left === 0 ? 'trailers' : 'chunk'
    return end + 2
  }

  #takeChunk(bytes: Buffer): Taken {
    if (this.#left > 0) return this.#takeBody(bytes, this.#left)
    if (bytes.length < 2) return 'more'
    if (bytes[0] !== 13 || bytes[1] !== 10) throw new AnswerMalformed('a chunk runs on')
    this.#state = 'chunk-size'
    return 2
  }

  #takeTrailer(bytes: Buffer): Taken {
    const end = bytes.indexOf('\r\n')
    if (end === -1) return 'more'
    return end === 0 ? this.#endsHere(bytes.length === 2) : end + 2
  }

  #complete(): Answer {
    const keepAlive =
      this.#state !== 'until-close' &&
      this.#status !== 101 &&
      !/\r\nconnection:[^\r]*close/i.test(this.#head) &&
      !this.#head.startsWith('HTTP/1.0')
    const answer = {
      status: this.#status,
      head: this.#head,
      body: this.#keepBody ? Buffer.concat(this.#parts) : nothing,
      keepAlive,
    }
    this.#state = 'head'
    this.#parts = []
    return answer
  }
}
