import { type Clock, createHttpServer, type Log } from '@drover/kernel'
import type {} from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { managedService } from '../config/managed.ts'
import { managedGroup } from '../manage/managed-group.ts'
import { mountManage } from '../manage/routes.ts'
import { groupOf } from '../services.ts'
import type { About } from '../status.ts'
import type { System } from '../system.ts'
import { isPage, mountDashboard } from './dashboard-routes.ts'
import { createEventStreams, type EventStreams } from './event-stream.ts'
import type { ExperimentDesk } from './experiment-desk.ts'
import { mountExperimentRoutes } from './experiment-routes.ts'
import { admit, type GuardOptions, guard } from './guard.ts'
import { mountInstanceRoutes } from './instance-routes.ts'
import { passUpgrades } from './part-proxy.ts'
import { mountPartsRoutes } from './parts-routes.ts'
import { mountRingRoutes } from './ring-routes.ts'
import { mountServiceRoutes } from './service-routes.ts'

/** What the admin API shows and changes. */
export interface AdminParts {
  readonly system: System
  readonly about: () => About
  /** Reads the configuration file again; throws when there is none, or it is bad. */
  readonly reload: () => Promise<void>
  readonly experiments: ExperimentDesk
  readonly clock: Clock
  readonly log: Log
}

/** What the routes are given. */
export interface RouteParts extends AdminParts {
  readonly streams: EventStreams
}

/**
 * Returns the admin API, not listening yet: everything under /v1 that the commands and the
 * dashboard use, the classroom API (/rep, /add, /rm), /metrics, /healthz and /openapi.json.
 */
export async function createAdminServer(
  parts: AdminParts,
  guarded: GuardOptions,
): Promise<FastifyInstance> {
  const server = await createHttpServer({
    title: 'Drover, admin API',
    description: 'What runs, and the calls that change it',
    log: parts.log,
  })
  guard(server, guarded, (path) => path === '/healthz' || isPage(path))
  const routeParts = { ...parts, streams: createEventStreams(parts.clock) }
  mountDashboard(server)
  mountInstanceRoutes(server, routeParts)
  mountServiceRoutes(server, routeParts)
  mountPartsRoutes(server, routeParts)
  mountRingRoutes(server, routeParts)
  mountExperimentRoutes(server, routeParts)
  const { system } = parts
  passUpgrades(server, system, (headers) => admit(headers, guarded))
  const managed = (service?: string) =>
    managedGroup(groupOf(system, service ?? managedService(system.config) ?? ''))
  mountManage(server, '', () => managed())
  mountManage(server, '/v1/services/:service', ({ service }) => managed(service))
  return server
}
