import type { Static } from '@drover/kernel'
import type { FastifyInstance } from 'fastify'
import type { DeliveryState } from '../store/tables.ts'
import { type ApiContext, identify, ownerScope } from './context.ts'
import { cursorOf, deliveryQuery, idParams, parseCursor } from './schemas.ts'
import { answers, attemptView, delivery, deliveryPage, deliveryView, onlyId } from './views.ts'

const tags = ['callbacks']

/** `/v1/callbacks`: what was sent, what the receivers answered, and once more. */
export async function callbackRoutes(server: FastifyInstance, context: ApiContext): Promise<void> {
  listRoute(server, context)
  const { deliveries } = context
  const one = { tags, params: idParams }
  server.get<{ Params: Static<typeof idParams> }>(
    '/v1/callbacks/:id',
    {
      schema: {
        ...one,
        summary: 'One callback with its attempts',
        response: answers(200, delivery),
      },
    },
    async (request) => {
      const owner = ownerScope(await identify(context, request))
      const { attempts, ...found } = await deliveries.delivery(request.params.id, owner)
      return { ...deliveryView(found), attempts: attempts.map(attemptView) }
    },
  )
  server.post<{ Params: Static<typeof idParams> }>(
    '/v1/callbacks/:id/replay',
    { schema: { ...one, summary: 'Send a callback once more', response: answers(202, onlyId) } },
    async (request, reply) => {
      const owner = ownerScope(await identify(context, request))
      await deliveries.replay(request.params.id, owner)
      return reply.status(202).send({ id: request.params.id })
    },
  )
}

function listRoute(server: FastifyInstance, context: ApiContext): void {
  server.get<{ Querystring: Static<typeof deliveryQuery> }>(
    '/v1/callbacks',
    {
      schema: {
        tags,
        querystring: deliveryQuery,
        summary: 'List callbacks, the newest first',
        response: answers(200, deliveryPage),
      },
    },
    async (request) => {
      const ownerId = ownerScope(await identify(context, request))
      const { job: jobId, state, after, limit } = request.query
      const cursor = parseCursor(after)
      const found = await context.deliveries.list({
        ...{ ownerId, jobId, limit, state: state as DeliveryState | undefined },
        after: cursor && { createdMs: cursor.ms, id: cursor.id },
      })
      const last = found.length === limit ? found.at(-1) : undefined
      return {
        callbacks: found.map(deliveryView),
        ...(last ? { next: cursorOf(last.createdMs, last.id) } : {}),
      }
    },
  )
}
