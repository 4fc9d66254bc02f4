import {
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import { type DoorAnswer, faultAnswer, isBodiless } from './answers.ts'
import type { Client } from './client.ts'
import { Exchange } from './exchange.ts'
import { Forwarding } from './forwarding.ts'
import type { DoorListener } from './listener.ts'
import { ChunkedDecoder } from './parsing/chunked-decoder.ts'
import { eachLine } from './parsing/header-lines.ts'
import { RequestHead } from './parsing/request-head.ts'
import type { ResponseHead } from './parsing/response-head.ts'

/**
 * One stream of HTTP/2 as the client of an exchange. Its header fields are written as an HTTP/1.1
 * head and read by the same strict reader, so that both protocols have one set of rules.
 */
export class Http2Client implements Client {
  readonly forwarding: Forwarding
  readonly secure = true
  readonly #listener: DoorListener
  readonly #stream: ServerHttp2Stream
  readonly #head = new RequestHead()
  readonly #exchange: Exchange
  #trailers: OutgoingHttpHeaders = {}
  #paused = false

  constructor(listener: DoorListener, stream: ServerHttp2Stream, address: string) {
    this.#listener = listener
    this.#stream = stream
    this.forwarding = new Forwarding(address, true, listener.trust(address))
    this.#exchange = new Exchange(listener, this, this.#head)
    stream.on('error', () => this.#exchange.clientGone())
    stream.on('close', () => this.#exchange.clientGone())
    stream.on('aborted', () => this.#exchange.clientGone())
    stream.on('drain', () => this.#exchange.clientWritable())
    stream.on('wantTrailers', () => stream.sendTrailers(this.#trailers))
  }

  /** Starts on the request that the stream's header fields make. */
  begin(headers: IncomingHttpHeaders): void {
    const { limits } = this.#listener.plan
    const text = headText(headers, this.#stream.readableEnded || this.#stream.endAfterHeaders)
    const bytes = Buffer.from(text, 'latin1')
    const trouble = troubleOf(headers)
    if (trouble !== '' || this.#readHead(bytes) !== bytes.length) {
      this.#refuse(trouble || this.#head.reason, trouble ? 400 : this.#head.status, bytes)
      return
    }
    if (limits.bodyBytesMax > 0 && this.#head.contentLength > limits.bodyBytesMax) {
      this.#tooLarge()
      return
    }
    const ended = this.#head.contentLength === 0
    this.#exchange.begin()
    if (ended) this.#stream.resume()
    else this.#readBody()
  }

  sendInformational(head: ResponseHead): void {
    if (this.#stream.destroyed || this.#stream.headersSent) return
    this.#stream.additionalHeaders({ ':status': head.status, ...fieldsOf(head.lines) })
  }

  sendHead(head: ResponseHead, lines: string): void {
    if (this.#stream.destroyed || this.#stream.headersSent) return
    const fields: OutgoingHttpHeaders = { ':status': head.status, ...fieldsOf(head.lines + lines) }
    if (head.declaredLength >= 0) fields['content-length'] = head.declaredLength
    this.#stream.respond(fields, {
      endStream: head.bodyLength === 0,
      waitForTrailers: head.bodyLength < 0,
    })
  }

  sendBytes(bytes: Buffer, from: number, to: number): void {
    if (this.#stream.writable) this.#stream.write(Buffer.from(bytes.subarray(from, to)))
  }

  sendEnd(trailers: string): void {
    this.#trailers = fieldsOf(trailers)
    if (this.#stream.writable) this.#stream.end()
    this.#stopBody()
  }

  sendAnswer(answer: DoorAnswer): void {
    if (this.#stream.destroyed || this.#stream.headersSent) return
    const { status, contentType, body, lines } = answer
    if (isBodiless(status))
      this.#stream.respond({ ':status': status, ...fieldsOf(lines) }, { endStream: true })
    else {
      this.#stream.respond({
        ':status': status,
        'content-type': contentType,
        'content-length': Buffer.byteLength(body),
        ...fieldsOf(lines),
      })
      this.#stream.end(this.#head.method === 'HEAD' ? '' : body)
    }
    this.#stopBody()
  }

  /** HTTP/2 has no such change of protocol; `begin` never lets a request ask for one. */
  sendUpgrade(): void {
    this.cut()
  }

  endTunnel(): void {
    this.cut()
  }

  cut(): void {
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  }

  flush(): boolean {
    return !this.#stream.writableNeedDrain
  }

  pauseBody(): void {
    this.#paused = true
    this.#stream.pause()
  }

  resumeBody(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#stream.resume()
  }

  #readHead(bytes: Buffer): number {
    const { limits } = this.#listener.plan
    return this.#head.read(bytes, 0, bytes.length, limits, this.forwarding.trusted)
  }

  #readBody(): void {
    const { bodyBytesMax } = this.#listener.plan.limits
    this.#stream.on('data', (bytes: Buffer) => {
      this.#exchange.clientBytes(bytes, 0, bytes.length)
      this.#exchange.clientFlush()
      if (bodyBytesMax === 0 || this.#exchange.body.bytes <= bodyBytesMax) return
      this.#exchange.clientGone()
      this.#tooLarge()
    })
    let trailers = ''
    this.#stream.on('trailers', (fields) => {
      trailers = trailerLines(fields)
    })
    this.#stream.on('end', () => {
      this.#exchange.clientEnd(trailers)
      this.#exchange.clientFlush()
    })
  }

  /** The answer is complete: a client that still sends is told that nobody reads (RFC 9113 §8.1). */
  #stopBody(): void {
    if (this.#stream.readableEnded) return
    this.#stream.once('finish', () => {
      if (!this.#stream.readableEnded) this.#stream.close(constants.NGHTTP2_NO_ERROR)
    })
    this.#stream.resume()
  }

  #tooLarge(): void {
    const message = `the body is over ${this.#listener.plan.limits.bodyBytesMax} bytes`
    this.sendAnswer(faultAnswer('BODY_TOO_LARGE', message, this.#head.path))
  }

  #refuse(reason: string, status: number, bytes: Buffer): void {
    this.#listener.countRefused(this.forwarding.address, status, reason, bytes)
    const answer = faultAnswer('REQUEST_REFUSED', reason, '')
    this.sendAnswer({ ...answer, status })
  }
}

/** The HTTP/1.1 head that says the same; safe to read only where `troubleOf` finds nothing. */
function headText(headers: IncomingHttpHeaders, ended: boolean): string {
  const method = String(headers[':method'] ?? '')
  const authority = String(headers[':authority'] ?? headers.host ?? '')
  let text = `${method} ${headers[':path'] ?? ''} HTTP/1.1\r\nhost: ${authority}\r\n`
  text += linesOf(headers)
  if (!ended && headers['content-length'] === undefined) text += 'transfer-encoding: chunked\r\n'
  return `${text}\r\n`
}

/** Says why fields cannot be written as lines: they could break out, or name two hosts. */
function troubleOf(headers: IncomingHttpHeaders): string {
  const { host, ':authority': authority } = headers
  if (host !== undefined && authority !== undefined && host !== authority)
    return 'Host and :authority disagree'
  const breaks = Object.entries(headers).some(([name, value]) => /[\r\n\0]/.test(`${name}${value}`))
  return breaks ? 'header field with a line end' : ''
}

function linesOf(fields: IncomingHttpHeaders): string {
  let lines = ''
  for (const [name, value] of Object.entries(fields)) {
    if (name.startsWith(':') || name === 'host' || value === undefined) continue
    for (const one of Array.isArray(value) ? value : [value]) lines += `${name}: ${one}\r\n`
  }
  return lines
}

/** The trailers that may be passed on, by the rules for those of HTTP/1.1; none if one breaks them. */
function trailerLines(fields: IncomingHttpHeaders): string {
  if (troubleOf(fields) !== '') return ''
  const bytes = Buffer.from(`0\r\n${linesOf(fields)}\r\n`, 'latin1')
  const decoder = new ChunkedDecoder()
  return decoder.read(bytes, 0, bytes.length, () => {}) === bytes.length ? decoder.trailers : ''
}

/** Header lines as fields of HTTP/2: lower-case names, equal ones gathered. */
function fieldsOf(lines: string): OutgoingHttpHeaders {
  const fields = new Map<string, string[]>()
  eachLine(lines, (name, value) => {
    const values = fields.get(name.toLowerCase())
    if (values) values.push(value)
    else fields.set(name.toLowerCase(), [value])
  })
  return Object.fromEntries(fields)
}
