import { Type } from '@drover/kernel'
import type { FastifyInstance } from 'fastify'
import type { System } from '../system.ts'
import { isReady, type PartRequest, partsBase, passRequest } from './part-proxy.ts'
import { partView, targetView } from './schemas.ts'
import type { RouteParts } from './server.ts'

const bodyBytesMax = 2 ** 40

/**
 * Mounts the parts: which services are one, and `/parts/SERVICE/PATH`, which is `/PATH` of a ready
 * replica of that service. `x-part-authorization` is passed on as `Authorization`.
 */
export function mountPartsRoutes(server: FastifyInstance, parts: RouteParts): void {
  const { system } = parts
  server.get(
    '/v1/parts',
    {
      schema: {
        tags: ['parts'],
        summary: 'The services that are parts of Drover, and where their APIs are',
        response: { 200: Type.Array(partView) },
      },
    },
    () => viewParts(system),
  )
  server.get(
    '/v1/targets',
    {
      schema: {
        tags: ['parts'],
        summary: 'What Prometheus scrapes here, as its http_sd_configs reads it',
        response: { 200: Type.Array(targetView) },
      },
    },
    ({ headers }) => viewTargets(system, headers.host ?? ''),
  )
  server.register((inner, _options, done) => {
    inner.removeAllContentTypeParsers()
    inner.addContentTypeParser('*', (_request, _payload, done) => done(null))
    inner.all(
      `${partsBase}/:service/*`,
      { schema: { hide: true }, bodyLimit: bodyBytesMax },
      (request: PartRequest, reply) => passRequest(system, request, reply),
    )
    done()
  })
}

async function viewParts(system: System) {
  const { services } = await system.balancer.status()
  return Object.entries(system.config.services).flatMap(([service, { part }]) => {
    if (part === undefined) return []
    const replicas = services.find(({ name }) => name === service)?.replicas ?? []
    return [
      {
        ...{ service, part, base: `${partsBase}/${service}` },
        replicas: replicas.map(({ name, state }) => ({ name, ready: isReady(state) })),
      },
    ]
  })
}

/** All of it is scraped through this API, so one address and one token do. */
function viewTargets({ config }: System, host: string) {
  const target = (service: string, path: string) => ({
    targets: [host],
    labels: { __metrics_path__: path, instance: host, drover_service: service },
  })
  const parts = Object.entries(config.services).filter(([, { part }]) => part !== undefined)
  return [
    target('door', '/metrics'),
    ...parts.map(([service]) => target(service, `${partsBase}/${service}/metrics`)),
  ]
}
