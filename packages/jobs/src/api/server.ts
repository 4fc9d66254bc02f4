import { createHttpServer, Type } from '@drover/kernel'
import type { FastifyInstance } from 'fastify'
import { LoginThrottled } from '../accounts/throttle.ts'
import { accountRoutes } from './account-routes.ts'
import { adminRoutes } from './admin-routes.ts'
import { callbackRoutes } from './callback-routes.ts'
import { type ApiContext, identify } from './context.ts'
import { courseRoutes } from './course-routes.ts'
import { jobRoutes } from './job-routes.ts'
import { createMethodTable } from './method-table.ts'
import { metricsRoute } from './metrics-route.ts'
import { readRoutes } from './read-routes.ts'
import { scheduleRoutes } from './schedule-routes.ts'
import { answers, replicaId } from './views.ts'

/** The largest body of those who have a token, in bytes; that of a batch is in job-routes.ts. */
const bodyBytesMax = 1_048_576

/** The largest body of a stranger, in bytes. */
const openBodyBytesMax = 65_536

/** The longest id, in characters. */
const pathPartLengthMax = 128

/** What needs no token. */
const openPaths: ReadonlySet<string> = new Set([
  ...['/users', '/users/', '/token', '/token/', '/test_endpoint', '/test_endpoint/'],
  ...['/openapi.json', '/metrics'],
  ...['/v1/health', '/v1/setup', '/v1/tokens', '/v1/tokens/refresh'],
])

const v1Routes = [
  ...[jobRoutes, readRoutes, scheduleRoutes, callbackRoutes],
  ...[accountRoutes, adminRoutes],
]

/** Returns the HTTP server of one API replica, not listening yet. */
export async function createJobsServer(
  context: Omit<ApiContext, 'closing'>,
): Promise<FastifyInstance> {
  const closing = new AbortController()
  const server = await createHttpServer({
    title: 'Drover fetch jobs',
    description: 'Takes requests to fetch pages, never loses one, and calls back.',
    log: context.log,
    ...{ bodyBytesMax, pathPartLengthMax, bearer: true },
  })
  server.addHook('onRoute', (route) => {
    if (openPaths.has(route.url)) route.bodyLimit = openBodyBytesMax
    else if (route.schema) route.schema.security = [{ bearer: [] }]
  })
  const refuseOthers = createMethodTable(server)
  server.addHook('preClose', async () => closing.abort())
  server.addHook('onError', async (_request, reply, error) => {
    if (error instanceof LoginThrottled)
      reply.header('retry-after', String(Math.ceil(error.waitMs / 1_000)))
    if ((error as { code?: string }).code === 'TOKEN_REFUSED')
      reply.header('www-authenticate', 'Bearer')
  })
  const whole = { ...context, closing: closing.signal }
  const health = Type.Object({ id: replicaId, status: Type.String() })
  server.get('/v1/health', { schema: { response: answers(200, health) } }, async () => ({
    id: context.options.replicaId,
    status: 'up',
  }))
  metricsRoute(server, whole)
  await server.register((scope) => courseRoutes(scope, whole))
  await server.register(async (scope) => {
    takeEmptyBodies(scope)
    identifyFirst(scope, whole)
    for (const routes of v1Routes) await routes(scope, whole)
  })
  refuseOthers()
  return server
}

/** Many clients say that a body is JSON where there is none. */
function takeEmptyBodies(server: FastifyInstance): void {
  const parse = server.getDefaultJsonParser('error', 'error')
  server.removeContentTypeParser('application/json')
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text, done) =>
    text === '' ? done(null, undefined) : parse(request, String(text), done),
  )
}

/** Looks at the token before the body: who has none makes us read and check nothing. */
function identifyFirst(server: FastifyInstance, context: ApiContext): void {
  server.addHook('onRequest', async (request) => {
    if (!openPaths.has(request.routeOptions.url ?? '')) await identify(context, request)
  })
}
