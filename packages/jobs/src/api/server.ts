import { createHttpServer } from '@drover/kernel'
import type { FastifyInstance } from 'fastify'
import { LoginThrottled } from '../accounts/throttle.ts'
import { accountRoutes } from './account-routes.ts'
import { callbackRoutes } from './callback-routes.ts'
import type { ApiContext } from './context.ts'
import { courseRoutes } from './course-routes.ts'
import { jobRoutes } from './job-routes.ts'

/** A batch of a thousand long addresses fits. */
const bodyBytesMax = 8_388_608

/** Returns the HTTP server of one API replica, not listening yet. */
export async function createJobsServer(
  context: Omit<ApiContext, 'closing'>,
): Promise<FastifyInstance> {
  const closing = new AbortController()
  const server = await createHttpServer({
    title: 'Drover fetch jobs',
    description: 'Takes requests to fetch pages, never loses one, and calls back.',
    log: context.log,
    bodyBytesMax,
  })
  server.addHook('preClose', async () => closing.abort())
  server.addHook('onError', async (_request, reply, error) => {
    if (error instanceof LoginThrottled)
      reply.header('retry-after', String(Math.ceil(error.waitMs / 1_000)))
    if ((error as { code?: string }).code === 'TOKEN_REFUSED')
      reply.header('www-authenticate', 'Bearer')
  })
  const whole = { ...context, closing: closing.signal }
  server.get('/v1/health', async () => ({ id: context.options.replicaId, status: 'up' }))
  for (const routes of [courseRoutes, jobRoutes, accountRoutes, callbackRoutes])
    await server.register((scope) => routes(scope, whole))
  return server
}
