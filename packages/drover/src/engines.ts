import { createBuiltinEngine, type Engine } from '@drover/balancer'
import type { Config } from './config/schema.ts'
import { fault } from './errors.ts'

/** Returns the data plane that the configuration asks for, not started yet. */
export function createEngine(door: Config['door']): Engine {
  if (door.engine === 'builtin')
    return createBuiltinEngine({ workers: door.workers > 1 ? door.workers : 0 })
  throw fault('USAGE', `engine ${door.engine} is not there yet`)
}
