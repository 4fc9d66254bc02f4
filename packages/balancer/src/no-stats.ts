import {
  type ListenerStats,
  latencyBoundsSeconds,
  type ReplicaStats,
  type ServiceStats,
} from './plan.ts'

/** The counters of one replica, as `ReplicaStats` but changeable. */
export type ReplicaCounts = {
  -readonly [Key in keyof ReplicaStats]: ReplicaStats[Key] extends readonly number[]
    ? number[]
    : ReplicaStats[Key]
}

/** What a listener counts before anybody has come. */
export function noListenerStats(name: string): ListenerStats {
  return {
    name,
    connectionsOpen: 0,
    connectionsTotal: 0,
    connectionsRefusedTotal: 0,
    refusedTotal: {},
  }
}

/** What a service counts before any request. */
export function noServiceStats(name: string): ServiceStats {
  return {
    name,
    waiting: 0,
    waitedTotal: 0,
    waitExpiredTotal: 0,
    rateLimitedTotal: 0,
    retriesTotal: 0,
    retriesDeniedTotal: 0,
    replicas: [],
  }
}

/** What a replica counts before any request. */
export function noReplicaStats(id: string): ReplicaCounts {
  return {
    id,
    inFlight: 0,
    requestsTotal: 0,
    failuresTotal: 0,
    statusTotal: [0, 0, 0, 0, 0, 0],
    bytesInTotal: 0,
    bytesOutTotal: 0,
    latencyCounts: Array(latencyBoundsSeconds.length + 1).fill(0),
    latencySumSeconds: 0,
  }
}
