import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2'
import type { TestContext } from 'node:test'
import { connect as connectSecure } from 'node:tls'
import { until } from '../until.ts'
import { Peer } from './peer.ts'
import type { RunningDoor } from './running-door.ts'

/** What one stream brought. */
export interface Http2Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly trailers: IncomingHttpHeaders
  /** The informational answers before it. */
  readonly early: readonly IncomingHttpHeaders[]
}

/** Opens an HTTP/2 session to the door, by node's own client. */
export async function openSession(t: TestContext, door: RunningDoor): Promise<ClientHttp2Session> {
  const session = connect(`https://127.0.0.1:${door.port()}`, { rejectUnauthorized: false })
  session.on('error', () => {})
  t.after(() => session.destroy())
  await until('a session', () => !session.connecting || session.destroyed)
  return session
}

/** Collects what comes on `stream`; rejects when it is reset or the session ends. */
export function collect(stream: ClientHttp2Stream): Promise<Http2Answer> {
  return new Promise((resolve, reject) => {
    let headers: IncomingHttpHeaders = {}
    let trailers: IncomingHttpHeaders = {}
    const early: IncomingHttpHeaders[] = []
    const pieces: Buffer[] = []
    let ended = false
    stream.on('headers', (more) => early.push(more))
    stream.on('response', (got) => {
      headers = got
    })
    stream.on('trailers', (got) => {
      trailers = got
    })
    stream.on('data', (piece: Buffer) => pieces.push(piece))
    stream.on('end', () => {
      ended = true
    })
    stream.on('error', reject)
    stream.on('close', () => {
      if (!ended || stream.rstCode !== 0) reject(new Error(`reset with code ${stream.rstCode}`))
      else
        resolve({
          status: Number(headers[':status']),
          headers,
          body: Buffer.concat(pieces),
          trailers,
          early,
        })
    })
  })
}

/** Sends a request and waits for its answer. */
export function ask(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders = {},
  body?: string | Buffer,
): Promise<Http2Answer> {
  const stream = session.request(
    { ':path': '/', ':authority': 'a', ...headers },
    { endStream: body === undefined },
  )
  const answer = collect(stream)
  if (body !== undefined) stream.end(body)
  return answer
}

type Field = readonly [name: string, value: string]

/** A frame of HTTP/2 (RFC 9113 §4.1). */
function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** A HEADERS frame whose fields are literals, never indexed (RFC 7541 §6.2.2), of any bytes. */
export function headersFrame(stream: number, fields: readonly Field[], endStream = true): Buffer {
  const literal = (text: string) => {
    const bytes = Buffer.from(text, 'latin1')
    if (bytes.length > 126) throw new RangeError('too long for this writer')
    return [bytes.length, ...bytes]
  }
  const block = fields.flatMap(([name, value]) => [0, ...literal(name), ...literal(value)])
  return frame(1, endStream ? 5 : 4, stream, Buffer.from(block))
}

export function dataFrame(stream: number, data: string, endStream: boolean): Buffer {
  return frame(0, endStream ? 1 : 0, stream, Buffer.from(data))
}

export function resetFrame(stream: number): Buffer {
  return frame(3, 0, stream, Buffer.from([0, 0, 0, 8]))
}

/** Opens a connection on which HTTP/2 frames of any kind can be sent. */
export async function openFrames(t: TestContext, door: RunningDoor): Promise<Peer> {
  const socket = connectSecure({
    port: door.port(),
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
  })
  const peer = new Peer(socket)
  t.after(() => socket.destroy())
  await until('a handshake', () => socket.alpnProtocol === 'h2')
  peer.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  peer.send(frame(4, 0, 0, Buffer.alloc(0)))
  return peer
}

/** The types and streams of the frames that came. */
export function framesOf(peer: Peer): { type: number; stream: number; payload: Buffer }[] {
  const frames: { type: number; stream: number; payload: Buffer }[] = []
  const { bytes } = peer
  for (let at = 0; at + 9 <= bytes.length; ) {
    const end = at + 9 + bytes.readUIntBE(at, 3)
    if (end > bytes.length) break
    const stream = bytes.readUInt32BE(at + 5) & 0x7fffffff
    frames.push({ type: bytes[at + 3] ?? 0, stream, payload: bytes.subarray(at + 9, end) })
    at = end
  }
  return frames
}
