import { MetricsText } from '@drover/kernel'
import { latencyBoundsSeconds } from './plan.ts'
import type { ReplicaState, Transition } from './replica-health.ts'
import type { BalancerStatus, ReplicaStatus, ServiceStatus } from './status.ts'

/** Counts transitions by service and state; replicas come and go, so they are no label here. */
export class TransitionCounts {
  readonly #counts = new Map<string, Map<ReplicaState, number>>()

  count(service: string, { to }: Transition): void {
    const own = this.#counts.get(service) ?? new Map<ReplicaState, number>()
    own.set(to, (own.get(to) ?? 0) + 1)
    this.#counts.set(service, own)
  }

  of(service: string): ReadonlyMap<ReplicaState, number> {
    return this.#counts.get(service) ?? new Map()
  }
}

/** Returns the counters of `status` in Prometheus' text format. Names are listed in the README. */
export function renderMetrics(status: BalancerStatus, transitions: TransitionCounts): string {
  const text = new MetricsText()
  writeListeners(text, status)
  writeServices(text, status, transitions)
  writeReplicas(text, status)
  writeLatency(text, status)
  return text.toString()
}

function writeListeners(text: MetricsText, { listeners }: BalancerStatus): void {
  text.metric('drover_connections_open', 'gauge', 'Open client connections.')
  for (const { name, connectionsOpen } of listeners)
    text.series({ listener: name }, connectionsOpen)
  text.metric('drover_connections_total', 'counter', 'Client connections accepted.')
  for (const { name, connectionsTotal } of listeners)
    text.series({ listener: name }, connectionsTotal)
  text.metric('drover_connections_refused_total', 'counter', 'Client connections over the limit.')
  for (const { name, connectionsRefusedTotal } of listeners)
    text.series({ listener: name }, connectionsRefusedTotal)
  text.metric('drover_refused_requests_total', 'counter', 'Requests that broke the rules of HTTP.')
  for (const { name, refusedTotal } of listeners)
    for (const [reason, count] of Object.entries(refusedTotal))
      text.series({ listener: name, reason }, count)
}

const serviceMetrics: readonly [
  name: string,
  type: 'counter' | 'gauge',
  help: string,
  value: (service: ServiceStatus) => number,
][] = [
  ['drover_waiting', 'gauge', 'Requests waiting for a replica.', (one) => one.waiting],
  [
    'drover_waited_total',
    'counter',
    'Requests that waited for a replica.',
    (one) => one.waitedTotal,
  ],
  [
    'drover_wait_expired_total',
    'counter',
    'Requests that waited in vain.',
    (one) => one.waitExpiredTotal,
  ],
  [
    'drover_rate_limited_total',
    'counter',
    'Requests over the rate limit.',
    (one) => one.rateLimitedTotal,
  ],
  ['drover_retries_total', 'counter', 'Requests sent again.', (one) => one.retriesTotal],
  [
    'drover_retries_denied_total',
    'counter',
    'Requests not sent again for want of budget.',
    (one) => one.retriesDeniedTotal,
  ],
  ['drover_replicas_expected', 'gauge', 'Replicas that there should be.', (one) => one.expected],
  ['drover_panic', 'gauge', '1 while ejected replicas are used.', (one) => Number(one.panic)],
]

function writeServices(
  text: MetricsText,
  { services }: BalancerStatus,
  transitions: TransitionCounts,
): void {
  for (const [name, type, help, value] of serviceMetrics) {
    text.metric(name, type, help)
    for (const service of services) text.series({ service: service.name }, value(service))
  }
  text.metric('drover_transitions_total', 'counter', 'Replicas that came into a state.')
  for (const { name } of services)
    for (const [state, count] of transitions.of(name)) text.series({ service: name, state }, count)
  text.metric('drover_replicas', 'gauge', 'Replicas in a state.')
  for (const { name, replicas } of services)
    for (const [state, members] of Map.groupBy(replicas, (replica) => replica.state))
      text.series({ service: name, state }, members.length)
}

const replicaMetrics: readonly [
  name: string,
  type: 'counter' | 'gauge',
  help: string,
  value: (replica: ReplicaStatus) => number,
][] = [
  ['drover_requests_total', 'counter', 'Requests sent.', (one) => one.requestsTotal],
  ['drover_failures_total', 'counter', 'Requests that failed.', (one) => one.failuresTotal],
  ['drover_in_flight', 'gauge', 'Requests under way.', (one) => one.inFlight],
  ['drover_received_bytes_total', 'counter', 'Bytes from clients.', (one) => one.bytesInTotal],
  ['drover_sent_bytes_total', 'counter', 'Bytes to clients.', (one) => one.bytesOutTotal],
  ['drover_replica_weight', 'gauge', 'Share, slow start included.', (one) => one.effectiveWeight],
]

function writeReplicas(text: MetricsText, { services }: BalancerStatus): void {
  for (const [name, type, help, value] of replicaMetrics) {
    text.metric(name, type, help)
    for (const service of services)
      for (const replica of service.replicas)
        text.series({ service: service.name, replica: replica.name }, value(replica))
  }
  text.metric('drover_responses_total', 'counter', 'Answers by class; none: no answer came.')
  for (const service of services)
    for (const replica of service.replicas)
      replica.statusTotal.forEach((count, digit) => {
        const labels = { service: service.name, replica: replica.name }
        const status = digit === 0 ? 'none' : `${digit}xx`
        text.series({ ...labels, status }, count)
      })
}

function writeLatency(text: MetricsText, { services }: BalancerStatus): void {
  text.metric('drover_request_seconds', 'histogram', 'From the request to the end of its answer.')
  for (const service of services)
    for (const replica of service.replicas) {
      const labels = { service: service.name, replica: replica.name }
      let sum = 0
      replica.latencyCounts.forEach((count, index) => {
        sum += count
        const le = String(latencyBoundsSeconds[index] ?? '+Inf')
        text.series({ ...labels, le }, sum, '_bucket')
      })
      text.series(labels, replica.latencySumSeconds, '_sum')
      text.series(labels, sum, '_count')
    }
}
