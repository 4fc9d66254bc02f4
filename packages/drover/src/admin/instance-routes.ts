import { type Static, Type } from '@drover/kernel'
import type {} from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { withoutSecrets } from '../config/secrets.ts'
import { readStatus } from '../status.ts'
import { acceptedView, eventsQuery, eventView, refusedView, statusView } from './schemas.ts'
import type { RouteParts } from './server.ts'

const tags = ['instance']

/** Mounts what concerns the whole instance. */
export function mountInstanceRoutes(server: FastifyInstance, parts: RouteParts): void {
  const { system, about, streams, reload } = parts

  server.get('/healthz', { schema: { tags, summary: 'It runs' } }, () => ({ status: 'ok' }))

  server.get(
    '/metrics',
    { schema: { tags, summary: 'Counters for Prometheus' } },
    async (_, reply) =>
      reply.type('text/plain; version=0.0.4; charset=utf-8').send(await system.balancer.metrics()),
  )

  server.get(
    '/v1/status',
    { schema: { tags, summary: 'Everything at this moment', response: { 200: statusView } } },
    () => readStatus(system, about()),
  )

  server.get('/v1/config', { schema: { tags, summary: 'The configuration in effect' } }, () =>
    withoutSecrets(system.config),
  )

  server.get(
    '/v1/refused',
    {
      schema: {
        tags,
        summary: 'The last requests that broke the rules of HTTP, newest first',
        response: { 200: Type.Array(refusedView) },
      },
    },
    () => system.balancer.refused(),
  )

  server.post(
    '/v1/reload',
    {
      schema: {
        tags,
        summary: 'Reads the configuration file again',
        response: { 202: acceptedView },
      },
    },
    async (_, reply) => {
      const since = system.events.lastId
      await reload()
      return reply.status(202).send({ since })
    },
  )

  server.get<{ Querystring: Static<typeof eventsQuery> }>(
    '/v1/events',
    {
      schema: {
        tags,
        summary: 'What happened, as server-sent events; Last-Event-ID goes on after an id',
        querystring: eventsQuery,
        response: { 200: Type.Array(eventView) },
      },
    },
    (request, reply) => {
      const { since, follow } = request.query
      const lastSeen = Number(request.headers['last-event-id'] ?? since)
      const kept = system.events.since(Number.isSafeInteger(lastSeen) ? lastSeen : 0)
      if (!follow) return reply.send(kept)
      return streams.send(reply, {
        kept,
        follow: system.events.follow,
        idOf: (event) => event.id,
      })
    },
  )
}
