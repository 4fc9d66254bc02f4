import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, createHttpServer, type Log, MetricsText } from '@drover/kernel'
import type { FastifyInstance } from 'fastify'
import type { DiskGuard } from './disk-guard.ts'
import { addEventRoutes } from './event-routes.ts'
import type { Front } from './front.ts'
import { metricsText } from './metrics.ts'
import { addResultRoutes } from './result-routes.ts'
import type { TaskClient } from './tasks/task-client.ts'
import type { Adoption } from './uploads/adoption.ts'
import { addTusRoutes } from './uploads/tus-routes.ts'
import type { TusStore } from './uploads/tus-store.ts'
import { addUploadRoutes } from './uploads/upload-routes.ts'

/** What the front's HTTP API is made of. */
export interface FrontServerParts {
  readonly front: Front
  readonly guard: DiskGuard
  readonly tasks: TaskClient
  readonly uploads: TusStore
  readonly adoption: Adoption
  readonly uploadBytesMax: number
  readonly clock: Clock
  readonly log: Log
}

/** The files of the page, as they lie in the package. */
const pageFolder = join(import.meta.dirname, '..', '..', '..', 'src', 'page')
const pageFiles = [
  ['/', 'index.html', 'text/html; charset=utf-8'],
  ['/page.js', 'page.js', 'text/javascript; charset=utf-8'],
  ['/page.css', 'page.css', 'text/css; charset=utf-8'],
  ['/icon.svg', 'icon.svg', 'image/svg+xml'],
] as const

type Named = { Params: { id: string } }

/** Returns the front's HTTP server; docs of each route are in the README. */
export async function createFrontServer(parts: FrontServerParts): Promise<FastifyInstance> {
  const { front, guard } = parts
  const server = await createHttpServer({
    title: 'Drover chunks',
    description: 'Chunks files on several backends',
    log: parts.log,
  })
  // Uploads take as long as they take; a stalled one is ended by its pace.
  server.server.requestTimeout = 0
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', (_request, _payload, done) => done(null))
  drainRefused(server, parts.clock)
  await addPage(server)
  addUploadRoutes(server, parts)
  addTusRoutes(server, parts)
  addResultRoutes(server, parts)
  addEventRoutes(server, parts)

  server.get('/healthz', () => ({ ok: true }))
  server.get('/requests', () => front.board.list())
  server.get<Named>('/requests/:id', ({ params }) => front.board.view(params.id))
  server.delete<Named>('/requests/:id', async ({ params }, reply) => {
    await front.cancel(params.id)
    return reply.status(204).send()
  })
  server.get('/status', () => statusOf(parts))
  server.get('/metrics', (_request, reply) =>
    reply.type(MetricsText.contentType).send(metricsText(parts)),
  )
  server.get('/disk', () => diskOf(guard))
  server.put<{ Querystring: { full?: string } }>('/disk', ({ query }) => {
    guard.simulatesFull = query.full === 'true'
    return diskOf(guard)
  })
  return server
}

function diskOf({ usedBytes, quotaBytes, simulatesFull }: DiskGuard) {
  return { usedBytes, quotaBytes, simulatesFull }
}

function statusOf({ front, tasks, guard }: FrontServerParts) {
  const { board, receiving } = front
  const states = ['waiting', 'working', 'done', 'failed', 'cancelled'] as const
  return {
    ...Object.fromEntries(states.map((state) => [state, board.count(state)])),
    receiving,
    bytesPerSecond: board.bytesPerSecond,
    tasks: { running: tasks.running, repeated: tasks.repeated, window: tasks.window },
    disk: diskOf(guard),
  }
}

/** How long the rest of a refused upload is read for nobody, in ms: else its client never hears why. */
const drainMs = 5_000

function drainRefused(server: FastifyInstance, clock: Clock): void {
  server.addHook('onResponse', async ({ raw }) => {
    if (raw.complete || raw.destroyed) return
    raw.resume()
    const cancel = clock.after(drainMs, () => raw.destroy())
    raw.once('close', cancel)
  })
}

async function addPage(server: FastifyInstance): Promise<void> {
  for (const [path, file, type] of pageFiles) {
    const bytes = await readFile(join(pageFolder, file))
    server.get(path, (_request, reply) =>
      reply
        .header('content-security-policy', "default-src 'self'")
        .header('x-content-type-options', 'nosniff')
        .header('cache-control', 'no-cache')
        .type(type)
        .send(bytes),
    )
  }
}
