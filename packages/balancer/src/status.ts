import type { Engine, ListenerStats, ReplicaStats, ServiceStats } from './plan.ts'
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
