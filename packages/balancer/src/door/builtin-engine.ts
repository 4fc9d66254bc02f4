import { type Clock, type Random, systemClock, systemRandom } from '@drover/kernel'
import type { Engine, EngineEvent } from '../plan.ts'
import { Door } from './door.ts'

/** What the builtin engine may be told; everything has a default. */
export interface BuiltinEngineOptions {
  readonly clock?: Clock
  readonly random?: Random
}

/** Returns the builtin data plane, run in this process. */
export function createBuiltinEngine(options: BuiltinEngineOptions = {}): Engine {
  const { clock = systemClock, random = systemRandom } = options
  const listeners = new Set<(event: EngineEvent) => void>()
  const door = new Door({
    clock,
    random,
    reusePort: false,
    emit: (event) => {
      for (const listener of listeners) listener(event)
    },
  })
  return {
    name: 'builtin',
    start: (plan) => door.apply(plan),
    apply: (plan) => door.apply(plan),
    ports: () => door.ports(),
    on(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    stats: async () => door.stats(),
    refused: async () => door.refused(),
    stop: (graceMs) => door.stop(graceMs),
  }
}
