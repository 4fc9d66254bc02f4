import { readLength } from './content-length.ts'
import { HeaderBlock, scan, special } from './header-block.ts'
import { KeptLines } from './header-lines.ts'
import { headRead } from './request-line.ts'
import { readStatusLine, StatusLine } from './status-line.ts'

/** The largest head that a replica may answer with. */
export const responseHeadBytesMost = 65_536
const headersMost = 200

/** Read and used before the next head is: one for the whole process. */
const block = new HeaderBlock(headersMost)
const line = new StatusLine()
const kept = new KeptLines()

/** How the length of an answer's body is told. */
export const bodyLength = { chunked: -1, untilClose: -2 } as const

/** One answer's head, in the form in which it is passed on; used again for the next. */
export class ResponseHead {
  status = 0
  /** Status and phrase as the replica wrote them: `200 OK`. */
  statusText = ''
  minor = 1
  /** The end-to-end header lines, each with its CRLF; without framing and hop-by-hop headers. */
  lines = ''
  /** What the Content-Length header says; -1 without one. */
  declaredLength = -1
  /** Bytes of the body that follows, or one of `bodyLength`. */
  bodyLength = 0
  /** The replica keeps the connection open behind this answer ... */
  keepAlive = true
  /** ... for so many seconds, when it says so; -1 when it does not. */
  keepAliveSeconds = -1
  /** The protocol of a 101 answer. */
  upgrade = ''
  /** Which rule the answer broke. */
  reason = ''
  #text = ''
  #base = 0
  #nominated = ''
  #chunked = false
  #closes = false

  /**
   * Reads the head of an answer to `method` from `bytes[at..end)`. Returns the offset behind it,
   * `headRead.incomplete`, or `headRead.refused` with `reason` set.
   */
  read(bytes: Buffer, at: number, end: number, method: string): number {
    const lineEnd = readStatusLine(bytes, at, end, line)
    if (lineEnd === headRead.incomplete) return headRead.incomplete
    if (lineEnd === headRead.refused) return this.#refuse(line.reason)
    const scanned = block.scan(bytes, lineEnd, end)
    if (scanned === scan.incomplete) return headRead.incomplete
    if (scanned !== scan.complete)
      return this.#refuse(scanned === scan.tooMany ? 'too many header lines' : block.reason)
    if (block.end - at > responseHeadBytesMost) return this.#refuse('head too large')
    this.#base = at
    this.#text = bytes.toString('latin1', at, block.end)
    this.#reset(lineEnd - at)
    if (!this.#takeHeaders(bytes)) return headRead.refused
    if (!this.#takeBody(method)) return headRead.refused
    return block.end
  }

  #reset(lineBytes: number): void {
    this.lines = ''
    this.declaredLength = -1
    this.bodyLength = 0
    this.minor = line.minor
    this.status = line.status
    this.keepAlive = line.minor === 1
    this.keepAliveSeconds = -1
    this.upgrade = ''
    this.#nominated = ''
    this.#chunked = false
    this.#closes = false
    this.statusText = this.#text.slice(9, lineBytes - 2)
  }

  #takeHeaders(bytes: Buffer): boolean {
    const base = this.#base
    kept.begin(this.#text, block.linesStart - base)
    for (let index = 0; index < block.count; index++) {
      const number = block.special(index)
      if (number <= 0) continue
      const fate = this.#take(number, index, bytes)
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

  #take(number: number, index: number, bytes: Buffer): 'keep' | 'drop' | 'refuse' {
    switch (number) {
      case special['content-length']:
        if (this.declaredLength >= 0) return this.#fate('Content-Length twice')
        this.declaredLength = readLength(bytes, block.valueStart(index), block.valueEnd(index))
        if (this.declaredLength < 0 || block.endsInTab(bytes, index))
          return this.#fate('malformed Content-Length')
        return 'drop'
      case special['transfer-encoding']:
        return this.#takeCoding(bytes, index)
      case special.connection:
        this.#takeConnection(this.#value(index))
        return 'drop'
      case special['keep-alive']:
        this.keepAliveSeconds = Number(/timeout=(\d{1,6})/i.exec(this.#value(index))?.[1] ?? -1)
        return 'drop'
      case special.upgrade:
        this.upgrade = this.#value(index)
        return 'drop'
      case special['proxy-connection']:
      case special['http2-settings']:
      case special.te:
        return 'drop'
      default:
        return 'keep'
    }
  }

  #takeCoding(bytes: Buffer, index: number): 'drop' | 'refuse' {
    const known = this.#value(index).toLowerCase() === 'chunked' && !block.endsInTab(bytes, index)
    if (this.#chunked || this.minor === 0 || !known) return this.#fate('unknown transfer coding')
    this.#chunked = true
    return 'drop'
  }

  #takeConnection(value: string): void {
    if (value === 'keep-alive' && this.minor === 1) return
    for (const word of value.split(',')) {
      const token = word.trim().toLowerCase()
      if (token === 'close') this.keepAlive = false
      else if (token === 'keep-alive') this.keepAlive ||= this.minor === 0 && !this.#closes
      else if (token !== '' && !Object.hasOwn(special, token)) this.#nominated += ` ${token} `
      if (token === 'close') this.#closes = true
    }
  }

  /** Decides how the body ends (RFC 9112 §6.3). */
  #takeBody(method: string): boolean {
    if (this.#chunked && this.declaredLength >= 0)
      return this.#unfit('Content-Length with Transfer-Encoding')
    const none =
      method === 'HEAD' || this.status < 200 || this.status === 204 || this.status === 304
    if (none) {
      this.bodyLength = 0
      // RFC 9110 §8.6: such an answer tells no length, whatever the replica says.
      if (this.status < 200 || this.status === 204) this.declaredLength = -1
      return this.status !== 204 || !this.#chunked || this.#unfit('body in a 204 answer')
    }
    if (this.#chunked) this.bodyLength = bodyLength.chunked
    else if (this.declaredLength >= 0) this.bodyLength = this.declaredLength
    else this.bodyLength = bodyLength.untilClose
    return true
  }

  #fate(reason: string): 'refuse' {
    this.#refuse(reason)
    return 'refuse'
  }

  #unfit(reason: string): false {
    this.#refuse(reason)
    return false
  }

  #refuse(reason: string): number {
    this.reason = reason
    return headRead.refused
  }
}
