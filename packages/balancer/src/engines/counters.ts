import { type Address, formatAddress } from '@drover/kernel'
import { noReplicaStats, type ReplicaCounts } from '../no-stats.ts'
import { type EngineStats, type ListenerStats, latencyBoundsSeconds, type Plan } from '../plan.ts'

/** More places of replicas that have gone are not remembered. */
const placesMax = 10_000

/** The counters of one service beside those of its replicas. */
export interface ServiceCounts {
  retriesTotal: number
  rateLimitedTotal: number
  waiting: number
}

/** Counts what a foreign engine tells, by service and replica of the plan. */
export class Counters {
  readonly #replicas = new Map<string, ReplicaCounts>()
  readonly #services = new Map<string, ServiceCounts>()
  /** `service host:port` to replica id; those that left the plan stay until their place is taken. */
  readonly #places = new Map<string, string>()

  /** Counts for the replicas of `plan` from now on, and forgets those that are in it no more. */
  follow(plan: Plan): void {
    const kept = new Set<string>()
    for (const { name, replicas } of plan.services) {
      this.service(name)
      for (const replica of replicas) {
        const { id } = replica
        kept.add(id)
        this.#places.set(placeOf(name, replica), id)
        if (!this.#replicas.has(id)) this.#replicas.set(id, noReplicaStats(id))
      }
    }
    for (const id of this.#replicas.keys()) if (!kept.has(id)) this.#replicas.delete(id)
    if (this.#places.size > placesMax)
      for (const [place, id] of this.#places) if (!kept.has(id)) this.#places.delete(place)
  }

  /** The id of the replica at an address as the engine writes it, if it is known. */
  idAt(service: string, address: string): string | undefined {
    return this.#places.get(`${service} ${address}`)
  }

  ids(): Iterable<string> {
    return this.#replicas.keys()
  }

  replica(id: string): ReplicaCounts | undefined {
    return this.#replicas.get(id)
  }

  service(name: string): ServiceCounts {
    let counts = this.#services.get(name)
    if (counts === undefined) {
      counts = { retriesTotal: 0, rateLimitedTotal: 0, waiting: 0 }
      this.#services.set(name, counts)
    }
    return counts
  }

  stats(plan: Plan, listeners: readonly ListenerStats[]): EngineStats {
    return {
      listeners,
      services: plan.services.map(({ name, replicas }) => ({
        name,
        waitedTotal: 0,
        waitExpiredTotal: 0,
        retriesDeniedTotal: 0,
        ...this.service(name),
        replicas: replicas.map(({ id }) =>
          structuredClone(this.#replicas.get(id) ?? noReplicaStats(id)),
        ),
      })),
    }
  }
}

function placeOf(service: string, address: Address): string {
  return `${service} ${formatAddress(address)}`
}

/** Adds one answer's duration to a replica's histogram. */
export function countLatency(counts: ReplicaCounts, seconds: number): void {
  const found = latencyBoundsSeconds.findIndex((bound) => seconds <= bound)
  const index = found === -1 ? latencyBoundsSeconds.length : found
  counts.latencyCounts[index] = (counts.latencyCounts[index] ?? 0) + 1
  counts.latencySumSeconds += seconds
}

/** Adds answers of one status to a replica's counts; status 0 when none came. */
export function countStatus(counts: ReplicaCounts, status: number, times = 1): void {
  const digit = Math.floor(status / 100)
  const index = digit >= 1 && digit <= 5 ? digit : 0
  counts.statusTotal[index] = (counts.statusTotal[index] ?? 0) + times
}
