import { type Address, type Clock, createHttpServer, formatAddress, type Log } from '@drover/kernel'
import type {} from '@fastify/swagger'
import { limitDefaults } from '../options.ts'
import type { BrokerAdmin, QueueEngine } from '../queue-engine.ts'
import { addBrokerRoutes } from './broker-routes.ts'
import { addGroupRoutes } from './group-routes.ts'
import { addMessageRoutes } from './message-routes.ts'
import { createMetrics } from './metrics.ts'
import { addTopicRoutes } from './topic-routes.ts'
import { addWorkRoutes } from './work-routes.ts'

/** Names have up to 249 characters, of which some may come percent-encoded. */
const pathPartLengthMax = 1_000

export interface HttpApiOptions {
  readonly engine: QueueEngine
  /** The embedded engine's brokers; without it their routes are not there. */
  readonly admin?: BrokerAdmin
  readonly clock: Clock
  readonly log: Log
  readonly bodyBytesMax?: number
}

/** Returns the HTTP API v1 over any engine, not listening yet. `GET /openapi.json` describes it. */
export async function createHttpApi(options: HttpApiOptions) {
  const { engine, admin, clock, log } = options
  const { bodyBytesMax = limitDefaults.batchBytesMax * 2 } = options
  const server = await createHttpServer({
    title: 'Drover queue',
    description: 'A durable queue of topics with partitions: read by offset, or taken as work.',
    ...{ log, bodyBytesMax, pathPartLengthMax },
  })
  addTopicRoutes(server, engine)
  addMessageRoutes(server, engine, clock)
  addWorkRoutes(server, engine)
  addGroupRoutes(server, engine)
  if (admin) addBrokerRoutes(server, admin)
  const metrics = createMetrics(engine, admin)
  server.get('/metrics', { schema: { hide: true } }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.scrape()),
  )
  server.get('/health', { schema: { hide: true } }, async () => {
    const brokers = (await admin?.brokers()) ?? []
    return { ok: brokers.every(({ state }) => state === 'up'), brokers }
  })
  return server
}

/** A listening API. */
export interface RunningHttpApi {
  readonly url: string
  stop(): Promise<void>
}

/** Starts the API at `at`; port 0 takes a free one. */
export async function listenHttpApi(options: HttpApiOptions, at: Address): Promise<RunningHttpApi> {
  const server = await createHttpApi(options)
  await server.listen({ host: at.host, port: at.port })
  const { port } = server.server.address() as { port: number }
  return { url: `http://${formatAddress({ host: at.host, port })}`, stop: () => server.close() }
}
