import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type Clock, createHttpServer, type Log } from '@drover/kernel'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Output, outputs } from '../archives/write-archive.ts'
import { fault } from '../errors.ts'
import { resultName } from '../names.ts'
import type { DiskGuard } from './disk-guard.ts'
import type { Front } from './front.ts'
import { readForm } from './multipart.ts'
import type { ChunkRequest } from './request.ts'
import { addTusRoutes } from './tus-routes.ts'
import type { TusStore } from './tus-store.ts'
import { type Fields, readWish } from './wish.ts'

/** What the front's HTTP API is made of. */
export interface FrontServerParts {
  readonly front: Front
  readonly guard: DiskGuard
  readonly uploads: TusStore
  readonly clock: Clock
  readonly log: Log
}

/** The files of the page, as they lie in the package. */
const pageFolder = join(import.meta.dirname, '..', '..', '..', 'src', 'page')
const pageFiles = [
  ['/', 'index.html', 'text/html; charset=utf-8'],
  ['/page.js', 'page.js', 'text/javascript; charset=utf-8'],
  ['/page.css', 'page.css', 'text/css; charset=utf-8'],
] as const

const pollMs = 200
const listenersMax = 200

type Named = { Params: { id: string }; Querystring: Record<string, string> }

/** Returns the front's HTTP server; docs of each route are in the README. */
export async function createFrontServer(parts: FrontServerParts): Promise<FastifyInstance> {
  const { front, guard } = parts
  const server = await createHttpServer({
    title: 'Drover chunks',
    description: 'Chunks files on several backends',
    log: parts.log,
  })
  // Uploads take as long as they take; a stalled one is ended by the idle timeout of its socket.
  server.server.requestTimeout = 0
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', (_request, _payload, done) => done(null))
  await addPage(server)
  addTusRoutes(server, parts)

  server.get('/healthz', () => ({ ok: true }))
  server.post('/chunks', (request, reply) => takeUpload(parts, request, reply))
  server.put<{ Params: { '*': string } }>('/chunks/*', (request, reply) =>
    takeUpload(parts, request, reply, request.params['*']),
  )
  server.get('/requests', () => front.list())
  server.get<Named>('/requests/:id', ({ params }) => {
    front.find(params.id)
    return front.list().find(({ id }) => id === params.id)
  })
  server.delete<Named>('/requests/:id', async ({ params }, reply) => {
    await front.cancel(params.id)
    return reply.status(204).send()
  })
  server.get<Named>('/requests/:id/result', ({ params, query }, reply) =>
    sendResult(front, front.find(params.id), reply, query.as),
  )
  server.get<Named>('/requests/:id/manifest', ({ params }, reply) =>
    sendResult(front, front.find(params.id), reply, 'manifest'),
  )
  server.get('/disk', () => ({
    usedBytes: guard.usedBytes,
    quotaBytes: guard.quotaBytes,
    simulatesFull: guard.simulatesFull,
  }))
  server.put<{ Querystring: { full?: string } }>('/disk', ({ query }) => {
    guard.simulatesFull = query.full === 'true'
    return { simulatesFull: guard.simulatesFull }
  })
  addEvents(server, parts)
  return server
}

async function addPage(server: FastifyInstance): Promise<void> {
  for (const [path, file, type] of pageFiles) {
    const bytes = await readFile(join(pageFolder, file))
    server.get(path, (_request, reply) =>
      reply
        .header('content-security-policy', "default-src 'self'")
        .header('cache-control', 'no-cache')
        .type(type)
        .send(bytes),
    )
  }
}

/** How long the rest of a refused upload is read for nobody, in ms: else its client never hears why. */
const drainMs = 5_000

/** Takes an upload; when it is refused, the rest of it is let pass for a while. */
async function takeUpload(
  parts: FrontServerParts,
  request: FastifyRequest,
  reply: FastifyReply,
  name?: string,
): Promise<unknown> {
  try {
    return await answerUpload(parts, request, reply, name)
  } catch (error) {
    const { raw } = request
    if (!raw.complete) {
      raw.resume()
      const cancel = parts.clock.after(drainMs, () => raw.destroy())
      raw.once('close', cancel)
    }
    throw error
  }
}

/** `POST /chunks` with a form or the bare bytes: 202 with the request, or with `wait` its result. */
async function answerUpload(
  parts: FrontServerParts,
  { raw, query, headers }: FastifyRequest,
  reply: FastifyReply,
  name?: string,
): Promise<unknown> {
  const { front, clock } = parts
  const asked = query as Fields
  const request = /^multipart\//i.test(headers['content-type'] ?? '')
    ? await readForm(raw, (stream, fileName, fields) => {
        const { wish, form } = readWish({ ...asked, ...fields }, fileName)
        return front.submit(wish, form, stream)
      })
    : await submitRaw(front, raw, { ...asked, ...(name ? { name } : {}) }, headers)
  if (asked.wait === undefined)
    return reply
      .status(202)
      .header('location', `/requests/${request.id}`)
      .send(front.list().find(({ id }) => id === request.id))
  await waitUntilEnded(front, request, clock, reply)
  return sendResult(front, request, reply)
}

function submitRaw(
  front: Front,
  raw: Readable,
  fields: Fields,
  headers: FastifyRequest['headers'],
): Promise<ChunkRequest> {
  const packing = headers['content-encoding']
  const input = packing === 'gzip' || packing === 'zstd' ? packing : fields.input
  const { wish, form } = readWish({ ...fields, ...(input ? { input } : {}) }, 'upload')
  return front.submit(wish, form, raw)
}

/** Waits for the request's end; when the client goes away meanwhile, nobody wants it any more. */
async function waitUntilEnded(
  front: Front,
  request: ChunkRequest,
  clock: Clock,
  reply: FastifyReply,
): Promise<void> {
  while (request.endedAtMs === undefined) {
    if (reply.raw.destroyed) {
      await front.cancel(request.id)
      return
    }
    await clock.sleep(pollMs / 10)
  }
  if (request.error) throw fault('REQUEST_ENDED', request.error.message)
}

function sendResult(
  front: Front,
  request: ChunkRequest,
  reply: FastifyReply,
  asked?: string,
): FastifyReply {
  const output = outputs.find((known) => known === asked) ?? request.output
  const name = resultName(request.name, output)
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, '_')
  const type = typeOf(output)
  if (request.state === 'waiting' || request.state === 'working')
    throw fault('REQUEST_UNFINISHED', `the request is ${request.state}`)
  if (request.state !== 'done')
    throw fault('REQUEST_ENDED', request.error?.message ?? 'the request was cancelled')
  return reply
    .type(type)
    .header('x-content-type-options', 'nosniff')
    .header(
      'content-disposition',
      `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(name)}`,
    )
    .send(Readable.from(front.result(request.id, output), { objectMode: false }))
}

function typeOf(output: Output): string {
  if (output === 'zip') return 'application/zip'
  if (output === 'tar') return 'application/x-tar'
  if (output === 'text') return 'text/plain; charset=utf-8'
  return output === 'pack' ? 'application/octet-stream' : 'application/x-ndjson'
}

/** `GET /events`: the queue, as server-sent events, whenever it changes. */
function addEvents(server: FastifyInstance, { front, clock }: FrontServerParts): void {
  let listeners = 0
  server.get('/events', async (request, reply) => {
    if (listeners >= listenersMax) throw fault('REQUESTS_TOO_MANY', 'too many listen already')
    listeners++
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    let last = ''
    const tell = () => {
      const now = JSON.stringify(front.list())
      if (now === last || reply.raw.writableNeedDrain) return
      last = now
      reply.raw.write(`data: ${now}\n\n`)
    }
    tell()
    const cancel = clock.every(pollMs, tell)
    request.raw.once('close', () => {
      cancel()
      listeners--
    })
  })
}
