import type { EngineStats, ListenerStats, ReplicaStats, ServiceStats } from '../../plan.ts'

/** Adds up what several workers counted. Things are the same when their names (ids) are. */
export function mergeStats(all: readonly EngineStats[]): EngineStats {
  return {
    listeners: mergeBy(
      all.flatMap(({ listeners }) => listeners),
      nameOf,
      mergeListeners,
    ),
    services: mergeBy(
      all.flatMap(({ services }) => services),
      nameOf,
      mergeServices,
    ),
  }
}

function nameOf({ name }: { readonly name: string }): string {
  return name
}

function mergeBy<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  merge: (one: Item, other: Item) => Item,
): Item[] {
  const merged = new Map<string, Item>()
  for (const item of items) {
    const before = merged.get(keyOf(item))
    merged.set(keyOf(item), before === undefined ? item : merge(before, item))
  }
  return [...merged.values()]
}

function mergeListeners(one: ListenerStats, other: ListenerStats): ListenerStats {
  const refusedTotal = { ...one.refusedTotal }
  for (const [reason, count] of Object.entries(other.refusedTotal))
    refusedTotal[reason] = (refusedTotal[reason] ?? 0) + count
  return {
    name: one.name,
    connectionsOpen: one.connectionsOpen + other.connectionsOpen,
    connectionsTotal: one.connectionsTotal + other.connectionsTotal,
    connectionsRefusedTotal: one.connectionsRefusedTotal + other.connectionsRefusedTotal,
    refusedTotal,
  }
}

function mergeServices(one: ServiceStats, other: ServiceStats): ServiceStats {
  return {
    name: one.name,
    waiting: one.waiting + other.waiting,
    waitedTotal: one.waitedTotal + other.waitedTotal,
    waitExpiredTotal: one.waitExpiredTotal + other.waitExpiredTotal,
    rateLimitedTotal: one.rateLimitedTotal + other.rateLimitedTotal,
    retriesTotal: one.retriesTotal + other.retriesTotal,
    retriesDeniedTotal: one.retriesDeniedTotal + other.retriesDeniedTotal,
    replicas: mergeBy([...one.replicas, ...other.replicas], ({ id }) => id, mergeReplicas),
  }
}

function mergeReplicas(one: ReplicaStats, other: ReplicaStats): ReplicaStats {
  return {
    id: one.id,
    inFlight: one.inFlight + other.inFlight,
    requestsTotal: one.requestsTotal + other.requestsTotal,
    failuresTotal: one.failuresTotal + other.failuresTotal,
    statusTotal: addUp(one.statusTotal, other.statusTotal),
    bytesInTotal: one.bytesInTotal + other.bytesInTotal,
    bytesOutTotal: one.bytesOutTotal + other.bytesOutTotal,
    latencyCounts: addUp(one.latencyCounts, other.latencyCounts),
    latencySumSeconds: one.latencySumSeconds + other.latencySumSeconds,
  }
}

function addUp(one: readonly number[], other: readonly number[]): number[] {
  return one.map((value, index) => value + (other[index] ?? 0))
}
