import type { ListenerPlan, Plan, ReplicaPlan, ServicePlan } from '../../src/plan.ts'

/** Returns the plan of a replica on a port of this machine. */
export function replicaOf(port: number, given: Partial<ReplicaPlan> = {}): ReplicaPlan {
  const name = `replica ${port}`
  return { id: `r${port}`, name, host: '127.0.0.1', port, weight: 1, draining: false, ...given }
}

/** Returns the service `web` over replicas on `ports`. */
export function serviceOf(ports: readonly number[], given: Partial<ServicePlan> = {}): ServicePlan {
  return {
    name: 'web',
    policy: { name: 'round-robin', key: { from: 'client' }, options: {} },
    replicas: ports.map((port) => replicaOf(port)),
    expected: 0,
    retry: { attemptsMax: 3, budgetShare: 0.2, budgetPerSecond: 10 },
    queue: { sizeMax: 100, waitMs: 5_000, order: 'oldest-first' },
    inFlightMax: 0,
    timeouts: { connectMs: 2_000, firstByteMs: 30_000, responseMs: 0, keepAliveMs: 60_000 },
    answers: [],
    sendProxyProtocol: false,
    ...given,
  }
}

/** Returns the listener `front`, which sends everything to the service `web`. */
export function listenerOf(given: Partial<ListenerPlan> = {}): ListenerPlan {
  return {
    name: 'front',
    host: '127.0.0.1',
    port: 0,
    protocol: 'http',
    routes: [{ name: 'all', match: {}, action: { kind: 'service', service: 'web' } }],
    acceptProxyProtocol: false,
    limits: { connectionsMax: 16_384, headBytesMax: 16_384, headersMax: 100, bodyBytesMax: 0 },
    timeouts: { headMs: 10_000, idleMs: 60_000, stallMs: 60_000 },
    ...given,
  }
}

/** Returns a plan of the one listener and the one service. */
export function planOf(
  service: ServicePlan,
  listener: ListenerPlan = listenerOf(),
  trustedProxies: readonly string[] = [],
): Plan {
  return { listeners: [listener], services: [service], trustedProxies }
}
