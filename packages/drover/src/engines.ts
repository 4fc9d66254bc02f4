import {
  createBuiltinEngine,
  createHaproxyEngine,
  createNginxEngine,
  type Engine,
} from '@drover/balancer'
import type { Log } from '@drover/kernel'
import type { Config } from './config/schema.ts'

/** Returns the data plane that the configuration asks for, not started yet. */
export function createEngine({ engine, workers }: Config['door'], log: Log): Engine {
  switch (engine) {
    case 'builtin':
      return createBuiltinEngine({ workers })
    case 'nginx':
      return createNginxEngine({ log, ...(workers > 0 ? { workers } : {}) })
    case 'haproxy':
      return createHaproxyEngine({ log, ...(workers > 0 ? { threads: workers } : {}) })
  }
}
