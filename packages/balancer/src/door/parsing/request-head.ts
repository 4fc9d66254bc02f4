import { readLength } from './content-length.ts'
import { HeaderBlock, scan, special } from './header-block.ts'
import { KeptLines } from './header-lines.ts'
import { isAuthority } from './host.ts'
import { headRead, RequestLine, readRequestLine } from './request-line.ts'

export { headRead }

/** No head is larger, whatever a listener's limit says. */
const headBytesMost = 16_384
/** No head has more header lines, whatever a listener's limit says. */
const headersMost = 100

/** Methods whose repetition does no harm (RFC 9110 §9.2.2). */
const idempotentMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'PROPFIND'])

/** Read and used before the next head is: one for the whole process. */
const block = new HeaderBlock(headersMost)
const line = new RequestLine()
const kept = new KeptLines()

/** What limits a listener sets on heads. */
export interface HeadLimits {
  readonly headBytesMax: number
  readonly headersMax: number
}

/**
 * One request's head, in the form in which it is passed on. `read` checks it by the strict rules
 * of docs/formats/http-parsing.md; one object serves all the requests of a connection.
 */
export class RequestHead {
  method = ''
  /** Path and query, as in the origin form. */
  target = ''
  /** `target` up to the query. */
  path = ''
  /** The Host header, or the authority of the absolute form (they agree). */
  host = ''
  /** 0 or 1: the minor version. */
  minor = 1
  /** The end-to-end header lines, each with its CRLF; without those that the door writes anew. */
  lines = ''
  /** Bytes of the body; 0 without one; -1 when it is chunked. */
  contentLength = 0
  /** The client may send another request on this connection. */
  keepAlive = true
  expectContinue = false
  /** The protocol that the client asks to change to; empty for none. */
  upgrade = ''
  /** The request may be sent again although a replica may have acted on it. */
  idempotent = true
  /** Header values that the door may pass on, extended or not; empty when absent. */
  forwarded = ''
  forwardedFor = ''
  forwardedProto = ''
  forwardedHost = ''
  requestId = ''
  traceparent = ''
  /** The trace begins here: its one span so far is the door's. */
  tracedHere = false
  /** Why the head was refused, and the status that says so. */
  reason = ''
  status = 400

  /** The whole head as latin1 text; offsets of `block` count from its start. */
  #text = ''
  #base = 0
  #nominated = ''
  #hosts = 0
  #lengths = 0
  #codings = 0
  #hasIdempotencyKey = false
  #asksUpgrade = false
  #closes = false
  /** The last Host that was well: most clients of a connection repeat it. No value is NUL. */
  #knownHost = '\0'

  /**
   * Reads a head from `bytes[at..end)`. Returns the offset behind it, `headRead.incomplete`, or
   * `headRead.refused` with `reason` and `status` set. `trusted` keeps what the client says of
   * clients before it.
   */
  read(bytes: Buffer, at: number, end: number, limits: HeadLimits, trusted: boolean): number {
    const last = at + Math.min(limits.headBytesMax, headBytesMost)
    const result = this.#readWithin(bytes, at, Math.min(end, last + 1), limits, trusted)
    if (result > last || (result === headRead.incomplete && end > last)) return this.#tooLarge()
    return result
  }

  /** The value of the first header called `name` (lower case); only until the next head is read. */
  header(name: string): string | undefined {
    for (let index = 0; index < block.count; index++) {
      const from = block.nameStart(index) - this.#base
      const to = block.nameEnd(index) - this.#base
      if (to - from === name.length && this.#text.slice(from, to).toLowerCase() === name)
        return this.#value(index)
    }
    return undefined
  }

  /** Holds when the client asked for a change to `protocol`. */
  asksFor(protocol: string): boolean {
    const wanted = this.upgrade.toLowerCase().split(',')
    return protocol !== '' && wanted.some((one) => one.trim() === protocol.toLowerCase())
  }

  #readWithin(b: Buffer, at: number, end: number, limits: HeadLimits, trusted: boolean): number {
    const lineEnd = readRequestLine(b, at, end, line)
    if (lineEnd === headRead.incomplete) return headRead.incomplete
    if (lineEnd === headRead.refused) return this.#refuse(line.reason, line.status)
    const scanned = block.scan(b, lineEnd, end, limits.headersMax)
    if (scanned === scan.incomplete) return headRead.incomplete
    if (scanned === scan.tooMany) return this.#refuse('too many header lines', 431)
    if (scanned === scan.refused) return this.#refuse(block.reason)

    this.#base = at
    this.#text = b.toString('latin1', at, block.end)
    this.#reset()
    this.method = line.method
    if (!this.#takeHeaders(b, trusted)) return headRead.refused
    if (this.#hosts === 0) return this.#refuse('Host missing')
    if (!this.#takeTarget(line.targetStart - at, line.targetEnd - at)) return headRead.refused
    return this.#checkFraming() ? block.end : headRead.refused
  }

  #reset(): void {
    this.host = ''
    this.lines = ''
    this.contentLength = 0
    this.minor = line.minor
    this.keepAlive = line.minor === 1
    this.expectContinue = false
    this.upgrade = ''
    this.forwarded = ''
    this.forwardedFor = ''
    this.forwardedProto = ''
    this.forwardedHost = ''
    this.requestId = ''
    this.traceparent = ''
    this.tracedHere = false
    this.#nominated = ''
    this.#hosts = 0
    this.#lengths = 0
    this.#codings = 0
    this.#hasIdempotencyKey = false
    this.#asksUpgrade = false
    this.#closes = false
  }

  /** Sorts the header lines: those to act on, those to drop, and the rest, passed on as they are. */
  #takeHeaders(bytes: Buffer, trusted: boolean): boolean {
    const base = this.#base
    kept.begin(this.#text, block.linesStart - base)
    for (let index = 0; index < block.count; index++) {
      const number = block.special(index)
      if (number === 0) continue
      const fate = this.#take(number, index, bytes, trusted)
      if (fate === 'refuse') return false
      if (fate === 'drop') kept.drop(block.nameStart(index) - base, block.lineEnd(index) - base)
    }
    this.lines = kept.end(block.linesEnd - base, this.#nominated)
    return true
  }

  #value(index: number): string {
    return this.#text.slice(
      block.valueStart(index) - this.#base,
      block.valueEnd(index) - this.#base,
    )
  }

  /** Acts on a header that the door knows; a name spelt with `_` could pass for ours: dropped. */
  #take(number: number, index: number, bytes: Buffer, trusted: boolean): Fate {
    const value = this.#value(index)
    switch (number) {
      case special.host:
        return this.#takeHost(value)
      case special['content-length']:
        return this.#takeLength(bytes, index)
      case special['transfer-encoding']:
        return this.#takeCoding(value, bytes, index)
      case special.connection:
        return this.#takeConnection(value)
      case special.upgrade:
        this.upgrade = this.upgrade === '' ? value : 'h2c'
        return 'drop'
      case special.expect:
        if (value.toLowerCase() !== '100-continue') return this.#fate('unknown expectation', 417)
        this.expectContinue = this.minor === 1
        return 'drop'
      case special['x-request-id']:
        if (this.requestId !== '' || !requestIdForm.test(value)) return 'drop'
        this.requestId = value
        return 'keep'
      case special.traceparent:
        if (this.traceparent !== '' || !traceparentForm.test(value)) return 'drop'
        this.traceparent = value
        return 'keep'
      case special['idempotency-key']:
        this.#hasIdempotencyKey = value !== ''
        return 'keep'
      default:
        return this.#takeForwarded(number, value, trusted)
    }
  }

  /** What proxies before this one say of the client; believed only when they are trusted. */
  #takeForwarded(number: number, value: string, trusted: boolean): Fate {
    if (!trusted) return 'drop'
    switch (number) {
      case special.forwarded:
        this.forwarded = joined(this.forwarded, value)
        return 'drop'
      case special['x-forwarded-for']:
        this.forwardedFor = joined(this.forwardedFor, value)
        return 'drop'
      case special['x-forwarded-proto']:
        this.forwardedProto = value
        return 'drop'
      case special['x-forwarded-host']:
        this.forwardedHost = value
        return 'drop'
      case special['x-forwarded-port']:
      case special['x-forwarded-server']:
      case special['x-forwarded-prefix']:
      case special['x-real-ip']:
        return 'keep'
      default:
        return 'drop'
    }
  }

  #takeHost(value: string): Fate {
    if (this.#hosts++ > 0) return this.#fate('Host twice')
    if (value !== this.#knownHost && !isAuthority(value)) return this.#fate('invalid Host')
    this.#knownHost = value
    this.host = value
    return 'drop'
  }

  #takeLength(bytes: Buffer, index: number): Fate {
    if (this.#lengths++ > 0) return this.#fate('Content-Length twice')
    const length = readLength(bytes, block.valueStart(index), block.valueEnd(index))
    if (length < 0 || block.endsInTab(bytes, index)) return this.#fate('malformed Content-Length')
    if (this.#codings === 0) this.contentLength = length
    return 'drop'
  }

  #takeCoding(value: string, bytes: Buffer, index: number): Fate {
    if (this.#codings++ > 0) return this.#fate('Transfer-Encoding twice')
    if (this.minor === 0) return this.#fate('Transfer-Encoding in HTTP/1.0')
    if (value.toLowerCase() !== 'chunked' || block.endsInTab(bytes, index))
      return this.#fate('unknown transfer coding', 501)
    this.contentLength = -1
    return 'drop'
  }

  #takeConnection(value: string): Fate {
    if (value === 'keep-alive' && this.minor === 1) return 'drop'
    for (const word of value.split(',')) {
      const token = word.trim().toLowerCase()
      if (token === 'close') this.keepAlive = false
      else if (token === 'keep-alive') this.keepAlive ||= this.minor === 0 && !this.#closes
      else if (token === 'upgrade') this.#asksUpgrade = true
      else if (token !== '' && !ownNames.has(token)) this.#nominated += ` ${token} `
      if (token === 'close') this.#closes = true
    }
    return 'drop'
  }

  #takeTarget(from: number, to: number): boolean {
    const target = this.#text.slice(from, to)
    if (target.charCodeAt(0) === 47) this.target = target
    else if (target === '*' && this.method === 'OPTIONS') this.target = '*'
    else if (!this.#takeAbsolute(target)) return false
    const query = this.target.indexOf('?')
    this.path = query < 0 ? this.target : this.target.slice(0, query)
    return true
  }

  /** Takes `http://host/path` apart; its authority has to be what the Host header says. */
  #takeAbsolute(target: string): boolean {
    const parts = /^https?:\/\/([^/?]*)(.*)$/i.exec(target)
    if (parts === null) return this.#unfit('malformed request target')
    const [, authority = '', rest = ''] = parts
    if (authority.toLowerCase() !== this.host.toLowerCase())
      return this.#unfit('request target and Host disagree')
    // RFC 9112 §3.2.4: OPTIONS for a whole server is the asterisk to the server itself.
    if (rest === '' && this.method === 'OPTIONS') this.target = '*'
    else this.target = rest.startsWith('/') ? rest : `/${rest}`
    return true
  }

  #checkFraming(): boolean {
    if (this.#lengths > 0 && this.#codings > 0)
      return this.#unfit('Content-Length with Transfer-Encoding')
    if (this.upgrade !== '' && !this.#mayUpgrade()) this.upgrade = ''
    this.idempotent = this.#hasIdempotencyKey || idempotentMethods.has(this.method)
    return true
  }

  /** A change to HTTP/2 would take the connection out of our sight: never passed on. */
  #mayUpgrade(): boolean {
    return (
      this.#asksUpgrade &&
      this.minor === 1 &&
      this.contentLength === 0 &&
      !/\b(?:h2c?|http|tls)\b/i.test(this.upgrade)
    )
  }

  #tooLarge(): number {
    return this.#refuse('head too large', 431)
  }

  #fate(reason: string, status = 400): Fate {
    this.#refuse(reason, status)
    return 'refuse'
  }

  #unfit(reason: string): false {
    this.#refuse(reason)
    return false
  }

  #refuse(reason: string, status = 400): number {
    this.reason = reason
    this.status = status
    return headRead.refused
  }
}

/** What becomes of a header line. */
type Fate = 'keep' | 'drop' | 'refuse'

const requestIdForm = /^[\x21-\x7e]{1,128}$/
const traceparentForm = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/

/** Headers that are ours to set: no client can have them dropped by naming them in Connection. */
const ownNames = new Set([
  ...Object.keys(special),
  'cookie',
  'authorization',
  'content-type',
  'content-encoding',
])

function joined(before: string, value: string): string {
  return before === '' ? value : `${before}, ${value}`
}
