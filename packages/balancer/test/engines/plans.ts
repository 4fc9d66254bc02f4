import type { ListenerModel } from '../../src/model.ts'
import { defaultListener, defaultService } from '../../src/options.ts'
import type { ListenerPlan, Plan, ReplicaPlan, RoutePlan, ServicePlan } from '../../src/plan.ts'
import { servicePlan } from '../../src/pool.ts'

/** Returns a route for everything that leads to `service`. */
export function routeTo(service: string): RoutePlan {
  return { name: service, match: {}, action: { kind: 'service', service } }
}

/** Returns a listener on a free port of loopback that leads everything to `web`. */
export function listenerPlan(given: Partial<ListenerPlan> = {}): ListenerPlan {
  const base: ListenerModel = defaultListener('front', { routes: [routeTo('web')] })
  const { tls: _tls, ...rest } = base
  return { ...rest, ...given }
}

/** Returns the service `web` over `replicas`. */
export function webPlan(
  replicas: readonly ReplicaPlan[],
  given: Partial<ServicePlan> = {},
): ServicePlan {
  const model = defaultService('web')
  const { policy } = model
  return { ...servicePlan(model, { policy, replicas, expected: 0 }), ...given }
}

/** Returns a plan of one listener and one service. */
export function planOf(
  replicas: readonly ReplicaPlan[],
  service: Partial<ServicePlan> = {},
  listener: Partial<ListenerPlan> = {},
): Plan {
  return {
    listeners: [listenerPlan(listener)],
    services: [webPlan(replicas, service)],
    trustedProxies: [],
  }
}
