import { fault } from '../src/errors.ts'
import type { Engine, EngineEvent, EngineStats, Plan } from '../src/plan.ts'

/** An engine that serves nobody and remembers what it was told. */
export interface MemoryEngine extends Engine {
  /** Every plan that it took, oldest first. */
  readonly plans: Plan[]
  /** The ids of the replicas that it would send requests, by its last plan. */
  served(): string[]
  tell(event: EngineEvent): void
  /** Plans are refused with this as long as it is there. */
  refusal: string | undefined
  /** Plans wait for this before they are taken. */
  gate: Promise<void>
  stopped: boolean
  requestsTotal: number
}

export function createMemoryEngine(): MemoryEngine {
  const listeners = new Set<(event: EngineEvent) => void>()
  const take = async (plan: Plan): Promise<void> => {
    await engine.gate
    if (engine.refusal !== undefined) throw fault('PLAN_REFUSED', engine.refusal)
    engine.plans.push(plan)
  }
  const engine: MemoryEngine = {
    name: 'builtin',
    plans: [],
    refusal: undefined,
    gate: Promise.resolve(),
    stopped: false,
    requestsTotal: 0,
    start: take,
    apply: take,
    served: () =>
      (engine.plans.at(-1)?.services ?? [])
        .flatMap(({ replicas }) => replicas)
        .filter(({ draining }) => !draining)
        .map(({ id }) => id),
    ports: () => ({ front: 5000 }),
    on(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    tell(event) {
      for (const listener of listeners) listener(event)
    },
    stats: async () => statsOf(engine),
    refused: async () => [],
    async stop() {
      engine.stopped = true
    },
  }
  return engine
}

function statsOf({ plans, requestsTotal }: MemoryEngine): EngineStats {
  const services = plans.at(-1)?.services ?? []
  return {
    listeners: [
      {
        name: 'front',
        connectionsOpen: 2,
        connectionsTotal: 3,
        connectionsRefusedTotal: 1,
        refusedTotal: { 'no "host"': 4 },
      },
    ],
    services: services.map(({ name, replicas }) => ({
      name,
      waiting: 1,
      waitedTotal: 2,
      waitExpiredTotal: 3,
      rateLimitedTotal: 4,
      retriesTotal: 5,
      retriesDeniedTotal: 6,
      replicas: replicas.map(({ id }) => ({
        id,
        inFlight: 1,
        requestsTotal,
        failuresTotal: 0,
        statusTotal: [0, 0, 7, 0, 1, 0],
        bytesInTotal: 10,
        bytesOutTotal: 20,
        latencyCounts: [1, 2, ...Array(14).fill(0)],
        latencySumSeconds: 0.5,
      })),
    })),
  }
}
