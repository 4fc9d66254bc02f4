import { type TSchema, withDefaults } from '@drover/kernel'
import { type Config, configSchema } from './schema.ts'

/** A configuration with one service and one listener, and nothing else said. */
const plain = withDefaults(configSchema as TSchema, {
  services: { service: {} },
  listeners: [{}],
}) as Config

/** Returns the default behind a key such as `service.replicas`; undefined when there is none to show. */
export function serviceDefault(key: string): string | undefined {
  const [first = '', ...rest] = key.split('.')
  const roots: Record<string, unknown> = {
    service: plain.services.service,
    listener: plain.listeners[0],
  }
  const path = first in roots ? rest : [first, ...rest]
  const value = path.reduce<unknown>(
    (here, part) => (here as Record<string, unknown> | undefined)?.[part],
    first in roots ? roots[first] : plain,
  )
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}
