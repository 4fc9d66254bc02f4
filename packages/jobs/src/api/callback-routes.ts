import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import { type ApiContext, identify, ownerScope } from './context.ts'
import { cursorOf, deliveryQuery, deliveryView, idParams, parseCursor } from './schemas.ts'

const tags = ['callbacks']

/** `/v1/callbacks`: what was sent, what the receivers answered, and once more. */
export async function callbackRoutes(server: FastifyInstance, context: ApiContext): Promise<void> {
  const { deliveries } = context
  server.get<{ Querystring: Static<typeof deliveryQuery> }>(
    '/v1/callbacks',
    { schema: { tags, querystring: deliveryQuery, summary: 'List callbacks, the newest first' } },
    async (request) => {
      const ownerId = ownerScope(await identify(context, request))
      const { job: jobId, after, limit } = request.query
      const cursor = parseCursor(after)
      const found = await deliveries.list({
        ...{ ownerId, jobId, limit },
        after: cursor && { createdMs: cursor.ms, id: cursor.id },
      })
      const last = found.length === limit ? found.at(-1) : undefined
      return {
        callbacks: found.map(deliveryView),
        ...(last ? { next: cursorOf(last.createdMs, last.id) } : {}),
      }
    },
  )
  server.get<{ Params: Static<typeof idParams> }>(
    '/v1/callbacks/:id',
    { schema: { tags, params: idParams, summary: 'One callback with its attempts' } },
    async (request) => {
      const owner = ownerScope(await identify(context, request))
      return deliveryView(await deliveries.delivery(request.params.id, owner))
    },
  )
  server.post<{ Params: Static<typeof idParams> }>(
    '/v1/callbacks/:id/replay',
    { schema: { tags, params: idParams, summary: 'Send a callback once more' } },
    async (request, reply) => {
      const owner = ownerScope(await identify(context, request))
      await deliveries.replay(request.params.id, owner)
      return reply.status(202).send({ id: request.params.id })
    },
  )
}
