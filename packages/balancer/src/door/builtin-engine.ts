import { type Clock, type Random, systemClock, systemRandom } from '@drover/kernel'
import { Listeners } from '../listeners.ts'
import type { Engine, EngineEvent } from '../plan.ts'
import { Door } from './door.ts'
import { WorkerEngine } from './workers/worker-engine.ts'

/** What the builtin engine may be told; everything has a default. */
export interface BuiltinEngineOptions {
  readonly clock?: Clock
  readonly random?: Random
  /**
   * Processes that serve requests. 0, the default, serves them in this process; more use more
   * cores, and each then balances the requests that it got by itself.
   */
  readonly workers?: number
}

/** Returns the builtin data plane. */
export function createBuiltinEngine(options: BuiltinEngineOptions = {}): Engine {
  const { clock = systemClock, random = systemRandom, workers = 0 } = options
  return workers > 0 ? new WorkerEngine(workers, clock, random) : createLocalEngine(clock, random)
}

/** The data plane in this process. */
function createLocalEngine(clock: Clock, random: Random): Engine {
  const listeners = new Listeners<EngineEvent>()
  const door = new Door({
    clock,
    random,
    reusePort: false,
    emit: (event) => listeners.tell(event),
  })
  return {
    name: 'builtin',
    start: (plan) => door.apply(plan),
    apply: (plan) => door.apply(plan),
    ports: () => door.ports(),
    on: (listener) => listeners.add(listener),
    stats: async () => door.stats(),
    refused: async () => door.refused(),
    stop: (graceMs) => door.stop(graceMs),
  }
}
