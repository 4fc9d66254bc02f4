import type { Engine } from '@drover/balancer'
import type { Log } from '@drover/kernel'
import type { Config } from './config/schema.ts'

/** Returns the data plane that the configuration asks for, not started yet. */
export function createEngine(_door: Config['door'], _folder: string, _log: Log): Engine {
  throw new Error('not yet')
}
