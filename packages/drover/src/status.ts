import type { ServiceStatus } from '@drover/balancer'
import { formatAddress } from '@drover/kernel'
import type { ReplicaInfo } from '@drover/supervisor'
import type { ReplicaView, ServiceView, StatusView } from './admin/schemas.ts'
import { managedService, manageService } from './config/managed.ts'
import type { Config } from './config/schema.ts'
import type { EventLog } from './event-log.ts'
import type { System } from './system.ts'

/** Returns the instance at this moment: what the supervisor and the front door know, joined. */
export async function readStatus(system: System, about: About): Promise<StatusView> {
  const { balancer, groups, config } = system
  const door = await balancer.status()
  const served = new Map(door.services.map((service) => [service.name, service]))
  return {
    ...about,
    engine: door.engine,
    managed: managedService(config) ?? null,
    listeners: door.listeners.map((listener, index) => ({
      name: listener.name,
      url: urlOf(config, index, listener),
      protocol: listener.protocol,
      services: servicesOf(config, index),
      connectionsOpen: listener.connectionsOpen,
      connectionsTotal: listener.connectionsTotal,
      refusedTotal: sum(Object.values(listener.refusedTotal)),
    })),
    services: Object.keys(config.services).flatMap((name) => {
      const service = served.get(name)
      if (!service) return []
      const view = viewService(name, config, service, groups.get(name)?.replicas())
      return [{ ...view, trouble: troubleOf(view, system.events) }]
    }),
  }
}

/** What is known of the instance beside its parts. */
export type About = Pick<StatusView, 'version' | 'pid' | 'startedAtMs' | 'file' | 'admin'>

function urlOf(config: Config, index: number, at: { host: string; port: number }): string {
  const listener = config.listeners[index]
  const scheme = listener?.protocol === 'tcp' ? 'tcp' : listener?.tls ? 'https' : 'http'
  const host = at.host === '0.0.0.0' || at.host === '::' ? 'localhost' : at.host
  return `${scheme}://${formatAddress({ host, port: at.port })}`
}

function servicesOf(config: Config, index: number): string[] {
  const listener = config.listeners[index]
  const named = [...(listener?.routes ?? []), ...(listener ? [listener] : [])]
  const names = named.flatMap(({ service }) => (service === undefined ? [] : [service]))
  return [...new Set(names)].filter((name) => name !== manageService)
}

function viewService(
  name: string,
  config: Config,
  service: ServiceStatus,
  infos: readonly ReplicaInfo[] | undefined,
): Omit<ServiceView, 'trouble'> {
  const { docker, command } = config.services[name] ?? {}
  const kind = docker ? 'docker' : command === undefined ? 'addresses' : 'process'
  const known = new Map(infos?.map((info) => [info.id, info]))
  const spawning = (infos ?? []).filter(
    ({ id }) => !service.replicas.some((replica) => replica.id === id),
  )
  return {
    name,
    kind,
    policy: service.policy,
    wanted: kind === 'addresses' ? service.replicas.length : service.expected,
    available: service.available,
    panic: service.panic,
    waiting: service.waiting,
    requestsPerSecond: service.requestsPerSecond,
    retriesTotal: service.retriesTotal,
    replicas: [
      ...service.replicas.map((replica) => viewReplica(replica, known.get(replica.id))),
      ...spawning.map(viewSpawning),
    ],
  }
}

/** Deaths in a row that make a crash loop. */
const loopDeaths = 2

/** The last news of a crash loop, while one goes on: places stand empty, or died again and again. */
function troubleOf(
  { name, wanted, replicas }: Omit<ServiceView, 'trouble'>,
  events: EventLog,
): string | null {
  const isLooping =
    replicas.length < wanted ||
    replicas.some(({ state, restarts }) => state !== 'ready' && restarts >= loopDeaths)
  if (!isLooping) return null
  const told = events
    .since(0)
    .findLast(({ kind, service }) => kind === 'supervisor.group.crash-loop' && service === name)
  return told ? told.message.replace(`${name}: `, '') : null
}

function viewReplica(
  replica: ServiceStatus['replicas'][number],
  info: ReplicaInfo | undefined,
): ReplicaView {
  return {
    id: replica.id,
    name: replica.name,
    address: formatAddress(replica),
    state: replica.state,
    reason: replica.reason,
    sinceMs: replica.sinceMs,
    pid: info?.pid ?? null,
    container: info?.container ?? null,
    restarts: info?.restarts ?? 0,
    weight: replica.weight,
    inFlight: replica.inFlight,
    requestsTotal: replica.requestsTotal,
    failuresTotal: replica.failuresTotal,
    requestsPerSecond: replica.requestsPerSecond,
  }
}

/** A replica that the front door was not told of yet: it has no address so far. */
function viewSpawning(info: ReplicaInfo): ReplicaView {
  return {
    id: info.id,
    name: info.name,
    address: '',
    state: info.state === 'starting' ? 'starting' : 'stopped',
    reason: info.state === 'starting' ? 'is being started' : 'is being stopped',
    sinceMs: info.startedAtMs,
    pid: info.pid ?? null,
    container: info.container ?? null,
    restarts: info.restarts,
    weight: 1,
    inFlight: 0,
    requestsTotal: 0,
    failuresTotal: 0,
    requestsPerSecond: 0,
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
