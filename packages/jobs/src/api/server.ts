import { createHttpServer, Type } from '@drover/kernel'
import type { FastifyInstance } from 'fastify'
import { LoginThrottled } from '../accounts/throttle.ts'
import { accountRoutes } from './account-routes.ts'
import { adminRoutes } from './admin-routes.ts'
import { callbackRoutes } from './callback-routes.ts'
import type { ApiContext } from './context.ts'
import { courseRoutes } from './course-routes.ts'
import { jobRoutes } from './job-routes.ts'
import { metricsRoute } from './metrics-route.ts'
import { readRoutes } from './read-routes.ts'
import { scheduleRoutes } from './schedule-routes.ts'
import { answers, replicaId } from './views.ts'

/** A batch of a thousand long addresses fits. */
const bodyBytesMax = 8_388_608

/** The longest id, in characters. */
const pathPartLengthMax = 128

/** What needs no token. */
const openPaths: ReadonlySet<string> = new Set([
  ...['/users', '/users/', '/token', '/test_endpoint', '/openapi.json', '/metrics'],
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
    ...{ bodyBytesMax, pathPartLengthMax, strictBodies: true, bearer: true },
  })
  server.addHook('onRoute', (route) => {
    if (route.schema && !openPaths.has(route.url)) route.schema.security = [{ bearer: [] }]
  })
  nameWhatIsWrong(server)
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
  for (const routes of [courseRoutes, ...v1Routes])
    await server.register((scope) => routes(scope, whole))
  return server
}

/** A complaint about a field that there must not be, or a value, says which. */
function nameWhatIsWrong(server: FastifyInstance): void {
  server.setSchemaErrorFormatter(([first], where) => {
    const { instancePath = '', message = 'is wrong', params = {} } = first ?? {}
    const { additionalProperty, allowedValue, allowedValues = allowedValue } = params
    const named = additionalProperty ?? (allowedValues === undefined ? undefined : [allowedValues])
    const more = named === undefined ? '' : `: ${[named].flat(2).join(', ')}`
    return new Error(`${where}${instancePath} ${message}${more}`)
  })
}
