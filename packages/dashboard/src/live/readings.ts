import type { Counters, ReplicaCounters } from './counters.ts'
import { quantile } from './quantile.ts'

/** What happened at one service between two readings. Latencies are undefined without a request. */
export interface Reading {
  readonly atMs: number
  readonly requestsPerSecond: number
  readonly errorsPerSecond: number
  readonly p50Seconds: number | undefined
  readonly p99Seconds: number | undefined
  /** Requests per second of each replica. */
  readonly byReplica: ReadonlyMap<string, number>
}

const nothing: ReplicaCounters = { requests: 0, errors: 0, buckets: new Map() }

/** Returns what happened at each service between two readings of the counters. */
export function compare(
  before: Counters,
  after: Counters,
  atMs: number,
  seconds: number,
): Map<string, Reading> {
  const readings = [...after].map(([service, replicas]): [string, Reading] => {
    const changes = [...replicas].map(([replica, counters]) => ({
      replica,
      ...change(before.get(service)?.get(replica) ?? nothing, counters),
    }))
    const buckets = sumBuckets(changes.map((one) => one.buckets))
    return [
      service,
      {
        atMs,
        requestsPerSecond: sum(changes.map(({ requests }) => requests)) / seconds,
        errorsPerSecond: sum(changes.map(({ errors }) => errors)) / seconds,
        p50Seconds: quantile(buckets, 0.5),
        p99Seconds: quantile(buckets, 0.99),
        byReplica: new Map(changes.map(({ replica, requests }) => [replica, requests / seconds])),
      },
    ]
  })
  return new Map(readings)
}

/** A counter that went back belongs to a successor of the same name: all of it is new. */
function change(before: ReplicaCounters, after: ReplicaCounters): ReplicaCounters {
  const from = after.requests < before.requests ? nothing : before
  return {
    requests: after.requests - from.requests,
    errors: Math.max(0, after.errors - from.errors),
    buckets: new Map(
      [...after.buckets].map(([le, count]) => [le, count - (from.buckets.get(le) ?? 0)]),
    ),
  }
}

function sumBuckets(all: readonly ReadonlyMap<number, number>[]): Map<number, number> {
  const total = new Map<number, number>()
  for (const buckets of all)
    for (const [le, count] of buckets) total.set(le, (total.get(le) ?? 0) + count)
  return total
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
