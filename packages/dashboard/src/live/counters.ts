import { parseMetrics } from './metrics-text.ts'

/** What is counted of one replica since it came. */
export interface ReplicaCounters {
  requests: number
  /** Answers of 500 and above, and requests that got none. */
  errors: number
  /** By upper bound in seconds, `Infinity` last; each bound counts all below it. */
  readonly buckets: Map<number, number>
}

/** The counters of one reading: service, then replica. */
export type Counters = ReadonlyMap<string, ReadonlyMap<string, ReplicaCounters>>

/** Returns the counters in the text that `/metrics` answers. */
export function readCounters(text: string): Counters {
  const services = new Map<string, Map<string, ReplicaCounters>>()
  for (const { name, labels, value } of parseMetrics(text)) {
    const { service, replica } = labels
    if (service === undefined) continue
    const replicas = services.get(service) ?? new Map<string, ReplicaCounters>()
    // A service without replicas has figures as well: it does nothing.
    services.set(service, replicas)
    if (replica === undefined) continue
    const counters = replicas.get(replica) ?? { requests: 0, errors: 0, buckets: new Map() }
    replicas.set(replica, counters)
    if (name === 'drover_requests_total') counters.requests = value
    else if (name === 'drover_request_seconds_bucket') counters.buckets.set(bound(labels.le), value)
    else if (name === 'drover_responses_total' && isError(labels.status)) counters.errors += value
  }
  return services
}

function bound(text = '+Inf'): number {
  return text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text)
}

function isError(status: string | undefined): boolean {
  return status === '5xx' || status === 'none'
}
