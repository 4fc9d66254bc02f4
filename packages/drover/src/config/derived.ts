import type { ListenerConfig } from './listener-schema.ts'
import type { Config } from './schema.ts'
import type { ServiceConfig } from './service-schema.ts'

/** What follows from other keys where it is not given. */
export interface Derived {
  readonly key: string
  readonly check: 'http' | 'tcp'
  readonly status: string
}

/** Returns the keys of `service` whose defaults depend on others. */
export function derived(
  name: string,
  service: ServiceConfig,
  listeners: readonly ListenerConfig[],
): Derived {
  const { policy, health } = service
  const speaksTcp = listeners.some(
    (listener) => listener.protocol === 'tcp' && listener.service === name,
  )
  return {
    key: service.key ?? (policy === 'slot-ring' ? 'request-id' : 'client'),
    check: health.check ?? (speaksTcp ? 'tcp' : 'http'),
    // Many programs answer 404 on `/`; whoever names a path means that it works.
    status: health.status ?? (health.path === '/' ? '200-499' : '200-399'),
  }
}

/** Returns `config` with what follows from it written out, for people who ask what is in effect. */
export function withDerived(config: Config): Config {
  const services = Object.entries(config.services).map(([name, service]) => {
    const { key, check, status } = derived(name, service, config.listeners)
    return [name, { ...service, key, health: { ...service.health, check, status } }]
  })
  return { ...config, services: Object.fromEntries(services) }
}
