import type { Found } from '@drover/kernel'
import { checkListeners } from './check-listeners.ts'
import { checkName, checkServiceName } from './check-names.ts'
import { checkService } from './check-service.ts'
import { isLoopback } from './hosts.ts'
import type { Config } from './schema.ts'

/** Lists what a schema cannot see: names that lead nowhere, things that exclude each other. */
export function checkConfig(config: Config): Found[] {
  return [
    ...checkAny(config),
    ...Object.entries(config.services).flatMap(([name, service]) => [
      ...checkName(name),
      ...checkService(name, service),
    ]),
    ...checkListeners(config),
    ...checkManage(config),
    ...checkAdmin(config),
  ]
}

function checkAny({ services, listeners }: Config): Found[] {
  if (Object.keys(services).length > 0 || listeners.length > 0) return []
  return [{ path: ['services'], message: 'is missing; expected at least one service' }]
}

function checkManage(config: Config): Found[] {
  const { manage } = config
  if (!manage) return []
  if (config.door.engine === 'nginx') {
    const message = 'its answers name the path, which nginx cannot do; builtin and haproxy can'
    return [{ path: ['manage', 'path'], message }]
  }
  const path = ['manage', 'service']
  if (manage.service === undefined) {
    const ours = Object.values(config.services).filter((service) => !service.addresses)
    return ours.length === 1
      ? []
      : [{ path, message: 'is missing; expected the service that /add and /rm change' }]
  }
  if (config.services[manage.service]?.addresses)
    return [{ path, message: `"${manage.service}" has fixed addresses; nothing can be added` }]
  return checkServiceName(path, manage.service, config)
}

function checkAdmin({ admin }: Config): Found[] {
  const { address, token } = admin
  if (address === undefined || address === 'off' || token !== undefined || isLoopback(address))
    return []
  const message = `is missing; ${address} can be reached from other machines, so the admin API needs a token of at least 16 letters`
  return [{ path: ['admin', 'token'], message }]
}
