import { type createHttpServer, type Static, Type } from '@drover/kernel'
import { fault } from '../errors.ts'
import { locationKind } from '../state/record.ts'
import { clientsInBox, clientsWithin, type Hit, hitsMax, nearestClients } from '../state/search.ts'
import { renderBriefHits } from './brief-hits.ts'
import { describeClient, describeHits } from './describe-client.ts'
import type { MapServerOptions } from './map-server.ts'
import { metricsText } from './metrics.ts'
import { boxSchema, checkBox, circleSchema, latitude, longitude } from './shapes.ts'

type HttpServer = Awaited<ReturnType<typeof createHttpServer>>

const limit = Type.Integer({ minimum: 1, maximum: hitsMax, default: 100 })

const json = 'application/json; charset=utf-8'
const brief = Type.Boolean({ default: false, description: 'only ids and distances' })
const circle = Type.Object({ ...circleSchema.properties, limit, brief })
const box = Type.Object({ ...boxSchema.properties, limit })
const nearest = Type.Object({ latitude, longitude, count: limit, brief })
/** A longer one does not fit into the head of a request. */
const idLengthMax = 16_384
const clientId = Type.Object({ id: Type.String({ minLength: 1, maxLength: idLengthMax }) })

/** Adds the routes that answer where clients are. */
export function addMapRoutes(server: HttpServer, options: MapServerOptions): void {
  const { node, clock, name } = options
  const { state } = node
  const answer = (hits: readonly Hit[], isBrief: boolean) =>
    isBrief ? renderBriefHits(state, '', hits) : { clients: describeHits(state, hits) }

  server.get('/v1/clients/:id', { schema: { params: clientId } }, (request) => {
    const { id } = request.params as Static<typeof clientId>
    const key = Buffer.from(id, 'latin1')
    // A character above 255 stands for no byte: nobody has such an id.
    const slot = key.toString('latin1') === id ? state.find(locationKind, key, 0, key.length) : -1
    if (slot >= 0 && state.isLive(slot, clock.now())) return describeClient(state, slot)
    throw fault('HERD_UNKNOWN', `no client "${id}" is known to ${name}`)
  })

  server.get('/v1/nearby', { schema: { querystring: circle } }, (request, reply) => {
    const query = request.query as Static<typeof circle>
    const hits = clientsWithin(state, query, query.radiusKm, query.limit, clock.now())
    reply.type(json)
    return answer(hits, query.brief)
  })

  server.get('/v1/box', { schema: { querystring: box } }, (request) => {
    const query = request.query as Static<typeof box>
    checkBox(query)
    const slots = clientsInBox(state, query, query.limit, clock.now())
    return { clients: slots.map((slot) => describeClient(state, slot)) }
  })

  server.get('/v1/nearest', { schema: { querystring: nearest } }, (request, reply) => {
    const query = request.query as Static<typeof nearest>
    const hits = nearestClients(state, query, query.count, clock.now())
    reply.type(json)
    return answer(hits, query.brief)
  })

  server.get('/v1/status', () => ({
    server: name,
    records: state.count,
    recordsMax: state.limits.recordsMax,
    sync: node.sync,
    startedAtMs: node.identity.epoch,
    lines: options.protocol.counts,
    connections: options.lines.connections,
    fences: options.fences.count,
    links: node.links.map((link) => ({
      peer: link.peer.name,
      isDialled: link.isDialled,
      isSlow: link.isSlow,
      waiting: link.waiting,
      ...link.counts,
    })),
    members: node.membership.present().map(({ name: member, host, port }) => ({
      name: member,
      host,
      port,
    })),
  }))

  server.get('/metrics', (_request, reply) =>
    reply.type('text/plain; version=0.0.4').send(metricsText(options)),
  )
}
