import { type IncomingMessage, request } from 'node:http'
import { Duplex } from 'node:stream'
import { ChunkedDecoder } from '../../src/door/parsing/chunked-decoder.ts'
import { bodyLength, ResponseHead } from '../../src/door/parsing/response-head.ts'
import { turns } from '../until.ts'

/** An answer to GET as a parser understood it. */
export interface UnderstoodAnswer {
  readonly status: number
  readonly body: string
}

/** Reads an answer as the door does; undefined unless it is whole and well. */
export function readAnswerAsDoor(text: string): UnderstoodAnswer | undefined {
  const bytes = Buffer.from(text, 'latin1')
  const head = new ResponseHead()
  const at = head.read(bytes, 0, bytes.length, 'GET')
  if (at <= 0 || head.status < 200) return undefined
  const body = bodyOf(head, bytes, at)
  return body === undefined ? undefined : { status: head.status, body }
}

function bodyOf(head: ResponseHead, bytes: Buffer, at: number): string | undefined {
  if (head.bodyLength === bodyLength.untilClose) return bytes.toString('latin1', at)
  if (head.bodyLength >= 0) {
    const end = at + head.bodyLength
    return end > bytes.length ? undefined : bytes.toString('latin1', at, end)
  }
  const decoder = new ChunkedDecoder()
  let body = ''
  const end = decoder.read(bytes, at, bytes.length, (piece, from, to) => {
    body += piece.toString('latin1', from, to)
  })
  return end >= 0 && decoder.done ? body : undefined
}

/** Reads an answer as node's own client does, in its strict mode; `changed` for a 101 of any kind. */
export async function readAnswerAsNode(
  text: string,
): Promise<UnderstoodAnswer | 'changed' | undefined> {
  let told: UnderstoodAnswer | 'changed' | undefined
  const connection = new Duplex({ read: () => {}, write: (_piece, _coding, done) => done() })
  const asking = request({ createConnection: () => connection, insecureHTTPParser: false })
  asking.on('error', () => {})
  asking.on('upgrade', () => {
    told = 'changed'
  })
  asking.on('response', (response: IncomingMessage) => {
    const pieces: Buffer[] = []
    response.on('data', (piece: Buffer) => pieces.push(piece))
    response.on('error', () => {})
    response.on('end', () => {
      told = {
        status: response.statusCode ?? 0,
        body: Buffer.concat(pieces).toString('latin1'),
      }
    })
  })
  asking.end()
  await turns(1)
  connection.push(Buffer.from(text, 'latin1'))
  connection.push(null)
  await turns(6)
  connection.destroy()
  return told
}
