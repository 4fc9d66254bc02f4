import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Output, outputs } from '../archives/write-archive.ts'
import { resultName } from '../names.ts'
import { unknown } from '../way/parse-way.ts'
import type { Front } from './front.ts'
import type { ChunkRequest } from './request.ts'

type Named = { Params: { id: string }; Querystring: { as?: string } }

/** Adds the downloads: `GET /requests/ID/result[?as=…]` and `GET /requests/ID/manifest`. */
export function addResultRoutes(server: FastifyInstance, { front }: { front: Front }): void {
  server.get<Named>('/requests/:id/result', (request, reply) => {
    const { as } = request.query
    const output = outputs.find((known) => known === as)
    if (as !== undefined && output === undefined) throw unknown('output', String(as), outputs)
    return sendResult(front, front.board.find(request.params.id), request, reply, output)
  })
  server.get<Named>('/requests/:id/manifest', (request, reply) =>
    sendResult(front, front.board.find(request.params.id), request, reply, 'manifest'),
  )
}

/** Sends a result, or the part of it that a client lacks whose download broke. */
export async function sendResult(
  front: Front,
  result: ChunkRequest,
  { method, headers }: Pick<FastifyRequest, 'method' | 'headers'>,
  reply: FastifyReply,
  output: Output = result.output,
): Promise<FastifyReply> {
  const bytes = await front.measure(result, output)
  const tag = `"${result.id}-${output}"`
  describe(reply, result.name, output).header('etag', tag)
  if (bytes === undefined) {
    if (method === 'HEAD') return reply.send(Readable.from([]))
    return reply.send(streamOf(front.result(result, output)))
  }
  reply.header('accept-ranges', 'bytes')
  const isSame = headers['if-range'] === undefined || headers['if-range'] === tag
  const range = isSame && method === 'GET' ? readRange(headers.range, bytes) : undefined
  if (range === 'none') return reply.status(416).header('content-range', `bytes */${bytes}`).send()
  const { start, end } = range ?? { start: 0, end: bytes }
  if (range) reply.status(206).header('content-range', `bytes ${start}-${end - 1}/${bytes}`)
  reply.header('content-length', end - start)
  // An empty stream keeps the length that was told; an empty answer would not.
  if (method === 'HEAD') return reply.send(Readable.from([]))
  return reply.send(streamOf(cut(front.result(result, output, start), end - start)))
}

function describe(reply: FastifyReply, fileName: string, output: Output): FastifyReply {
  const name = resultName(fileName, output)
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, '_')
  const wide = encodeURIComponent(name).replace(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16)}`,
  )
  return reply
    .type(typeOf(output))
    .header('x-content-type-options', 'nosniff')
    .header('content-disposition', `attachment; filename="${plain}"; filename*=UTF-8''${wide}`)
}

function typeOf(output: Output): string {
  if (output === 'zip') return 'application/zip'
  if (output === 'tar') return 'application/x-tar'
  if (output === 'text') return 'text/plain; charset=utf-8'
  return output === 'pack' ? 'application/octet-stream' : 'application/x-ndjson'
}

/** A single range of bytes, `none` when nothing is in it, undefined when there is none to follow. */
function readRange(
  header: string | undefined,
  bytes: number,
): { start: number; end: number } | 'none' | undefined {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined
  if (first === '') {
    const start = Math.max(0, bytes - Number(last))
    return start < bytes ? { start, end: bytes } : 'none'
  }
  const start = Number(first)
  const end = last === '' ? bytes : Math.min(bytes, Number(last) + 1)
  if (start >= bytes) return 'none'
  return start < end ? { start, end } : undefined
}

function streamOf(blocks: AsyncIterable<Buffer>): Readable {
  return Readable.from(blocks, { objectMode: false })
}

/** The first `bytes` of what comes. */
async function* cut(blocks: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer> {
  let left = bytes
  for await (const block of blocks) {
    yield block.length > left ? block.subarray(0, left) : block
    left -= Math.min(left, block.length)
    if (left === 0) return
  }
}
