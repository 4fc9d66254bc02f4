import { isDeepStrictEqual } from 'node:util'
import { fault } from '../errors.ts'
import type { Config } from './schema.ts'

const fixed = ['admin', 'door', 'data'] as const

/** Throws RESTART_NEEDED when `next` changes what a running instance cannot. */
export function refuseFixedChanges(now: Config, next: Config): void {
  const changed = fixed.filter((key) => !isDeepStrictEqual(now[key], next[key]))
  if (changed.length === 0) return
  const message = `${changed.join(' and ')} cannot change while Drover runs; stop and start it`
  throw fault('RESTART_NEEDED', message)
}
