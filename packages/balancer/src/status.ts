import type { ListenerModel } from './model.ts'
import { noListenerStats, noReplicaStats, noServiceStats } from './no-stats.ts'
import type {
  Engine,
  EngineStats,
  ListenerStats,
  PolicyPlan,
  ReplicaStats,
  ServiceStats,
} from './plan.ts'
import type { Member, Pool } from './pool.ts'
import type { Rates } from './rates.ts'
import type { ReplicaState, Transition } from './replica-health.ts'

/** The front door at this moment. */
export interface BalancerStatus {
  readonly engine: Engine['name']
  readonly listeners: readonly ListenerStatus[]
  readonly services: readonly ServiceStatus[]
}

export interface ListenerStatus extends ListenerStats {
  readonly host: string
  /** The real one, where 0 was asked for. */
  readonly port: number
  readonly protocol: 'http' | 'tcp'
}

export interface ServiceStatus extends Omit<ServiceStats, 'replicas'> {
  readonly policy: string
  /** The same with its key and its options. */
  readonly policyPlan: PolicyPlan
  /** How many replicas it should have, as told by `expectReplicas`. */
  readonly expected: number
  /** Replicas that get requests now. */
  readonly available: number
  /** Holds while ejected replicas are used because too few others are left. */
  readonly panic: boolean
  /** Requests per second over the last seconds. */
  readonly requestsPerSecond: number
  readonly replicas: readonly ReplicaStatus[]
  /** The last replicas that ended, newest first; at most 20. */
  readonly past: readonly ReplicaStatus[]
}

export interface ReplicaStatus extends ReplicaStats {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly state: ReplicaState
  /** Why it is in this state. */
  readonly reason: string
  readonly sinceMs: number
  /** As configured. */
  readonly weight: number
  /** As told to the engine: slow start counted in; 0 while it gets nothing new. */
  readonly effectiveWeight: number
  readonly requestsPerSecond: number
  /** The last 20, oldest first. */
  readonly history: readonly Transition[]
}

/** What a status is put together from. */
export interface StatusSources {
  readonly engine: Engine
  readonly listeners: readonly ListenerModel[]
  readonly pools: readonly Pool[]
  readonly rates: Rates
}

/** Returns the front door at this moment; asks the engine once. */
export async function readStatus(sources: StatusSources): Promise<BalancerStatus> {
  const { engine, listeners, pools, rates } = sources
  const stats = await engine.stats()
  const ports = engine.ports()
  return {
    engine: engine.name,
    listeners: listeners.map(({ name, host, port, protocol }) => ({
      ...(stats.listeners.find((one) => one.name === name) ?? noListenerStats(name)),
      host,
      port: ports[name] ?? port,
      protocol,
    })),
    services: pools.map((pool) => serviceStatus(pool, stats, rates)),
  }
}

function serviceStatus(pool: Pool, stats: EngineStats, rates: Rates): ServiceStatus {
  const own = stats.services.find(({ name }) => name === pool.name) ?? noServiceStats(pool.name)
  const statusOf = (member: Member): ReplicaStatus => {
    const counted = own.replicas.find(({ id }) => id === member.id) ?? noReplicaStats(member.id)
    return replicaStatus(member, counted, pool, rates)
  }
  const replicas = pool.members.map(statusOf)
  return {
    ...own,
    policy: pool.policy.name,
    policyPlan: pool.policy,
    expected: pool.wanted,
    available: pool.available,
    panic: pool.panic,
    requestsPerSecond: replicas.reduce((sum, one) => sum + one.requestsPerSecond, 0),
    replicas,
    past: pool.past.map(statusOf),
  }
}

function replicaStatus(
  member: Member,
  stats: ReplicaStats,
  pool: Pool,
  rates: Rates,
): ReplicaStatus {
  const { health } = member
  return {
    ...stats,
    name: member.name,
    host: member.host,
    port: member.port,
    state: health.state,
    reason: health.reason,
    sinceMs: health.sinceMs,
    weight: member.weight,
    effectiveWeight: health.available ? pool.weightOf(member) : 0,
    requestsPerSecond: rates.of(member.id),
    history: [...health.history],
  }
}
