import { createServer, type IncomingMessage, type Server } from 'node:http'
import { Duplex } from 'node:stream'
import { ChunkedDecoder } from '../../src/door/parsing/chunked-decoder.ts'
import { eachLine } from '../../src/door/parsing/header-lines.ts'
import { headRead, RequestHead } from '../../src/door/parsing/request-head.ts'
import { turns } from '../until.ts'

/** One request as a parser understood it. */
export interface Understood {
  readonly method: string
  readonly target: string
  readonly host: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
  readonly trailers: readonly (readonly [name: string, value: string])[]
}

/** What a parser made of the bytes of one connection. */
export interface Reading {
  readonly requests: readonly Understood[]
  /** It refused what came behind them, or would read no more. */
  readonly stopped: boolean
}

const limits = { headBytesMax: 16_384, headersMax: 100 }

/** Reads a connection's bytes as the door does; up to a wish to change the protocol, if told so. */
export function readAsDoor(text: string, untilUpgrade = false): Reading {
  const bytes = Buffer.from(text, 'latin1')
  const head = new RequestHead()
  const requests: Understood[] = []
  let at = 0
  while (at < bytes.length) {
    if (bytes.toString('latin1', at, at + 2) === '\r\n') at += 2
    const next = head.read(bytes, at, bytes.length, limits, false)
    if (next === headRead.refused) return { requests, stopped: true }
    if (next === headRead.incomplete) break
    const body = readBody(head, bytes, next)
    if (body === 'refused') return { requests, stopped: true }
    if (body === 'incomplete') break
    requests.push(understoodOf(head, body))
    const asks = untilUpgrade && asksUpgrade(bytes.toString('latin1', at, next))
    if (!head.keepAlive || asks) return { requests, stopped: true }
    at = body.end
  }
  return { requests, stopped: false }
}

/** Behind a wish to change the protocol node reads no more: what follows is for the answer to say. */
function asksUpgrade(head: string): boolean {
  return /^upgrade:/im.test(head) && /^connection:.*upgrade/im.test(head)
}

interface Body {
  readonly text: string
  readonly trailers: string
  readonly end: number
}

function readBody(head: RequestHead, bytes: Buffer, at: number): Body | 'refused' | 'incomplete' {
  if (head.contentLength >= 0) {
    const end = at + head.contentLength
    if (end > bytes.length) return 'incomplete'
    return { text: bytes.toString('latin1', at, end), trailers: '', end }
  }
  const decoder = new ChunkedDecoder()
  let text = ''
  const end = decoder.read(bytes, at, bytes.length, (piece, from, to) => {
    text += piece.toString('latin1', from, to)
  })
  if (end < 0) return 'refused'
  return decoder.done ? { text, trailers: decoder.trailers, end } : 'incomplete'
}

function understoodOf(head: RequestHead, body: Body): Understood {
  const { method, target, host } = head
  const { text, trailers } = body
  return { method, target, host, headers: pairs(head.lines), body: text, trailers: pairs(trailers) }
}

function pairs(lines: string): (readonly [string, string])[] {
  const all: (readonly [string, string])[] = []
  eachLine(lines, (name, value) => all.push([name, trim(value)]))
  return all
}

/** Takes blanks and tabs off the ends, and nothing else that JavaScript thinks is blank. */
function trim(value: string): string {
  return value.replace(/^[ \t]+|[ \t]+$/g, '')
}

/** Answers every request of `server`, and adds those that were read to their end to `requests`. */
export function understandAll(server: Server, requests: Understood[]): void {
  server.on('request', (request: IncomingMessage, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('error', () => {})
    request.on('end', () => {
      requests.push({
        method: request.method ?? '',
        target: originOf(request.url ?? ''),
        host: request.headers.host ?? '',
        headers: inPairs(request.rawHeaders),
        body: Buffer.concat(pieces).toString('latin1'),
        trailers: inPairs(request.rawTrailers),
      })
      response.end()
    })
  })
}

/** Reads a connection's bytes as node's own server does, in its strict mode. */
export async function readAsNode(text: string): Promise<Reading> {
  const requests: Understood[] = []
  let stopped = false
  const server = createServer({ insecureHTTPParser: false, requireHostHeader: true })
  understandAll(server, requests)
  server.on('clientError', () => {
    stopped = true
  })
  const connection = new Duplex({ read: () => {}, write: (_piece, _coding, done) => done() })
  connection.on('error', () => {})
  server.emit('connection', connection)
  connection.push(Buffer.from(text, 'latin1'))
  await turns(8)
  connection.destroy()
  return { requests, stopped }
}

/** The absolute form as the door passes it on. */
function originOf(url: string): string {
  const rest = /^https?:\/\/[^/?]*(.*)$/i.exec(url)?.[1]
  if (rest === undefined) return url
  return rest.startsWith('/') ? rest : `/${rest}`
}

function inPairs(raw: readonly string[]): (readonly [string, string])[] {
  return raw.flatMap((name, index) =>
    index % 2 === 0 ? [[name, raw[index + 1] ?? ''] as const] : [],
  )
}
