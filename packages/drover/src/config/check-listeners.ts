import { BlockList, isIP } from 'node:net'
import { type Found, formatAddress, parseAddress, parseSize } from '@drover/kernel'
import { checkServiceName } from './check-names.ts'
import { isEveryInterface } from './hosts.ts'
import type { ListenerConfig, RouteConfig } from './listener-schema.ts'
import type { Config } from './schema.ts'

/** Lists what is wrong with the listeners: their addresses, routes and the services they name. */
export function checkListeners(config: Config): Found[] {
  const found = config.listeners.flatMap((listener, index) => {
    const at = ['listeners', String(index)]
    return [
      ...checkOne(listener, config),
      ...checkClash(listener, config.listeners.slice(0, index)),
      ...listener.routes.flatMap((route, place) =>
        checkRoute(route, config).map(({ path, message }) => ({
          path: ['routes', String(place), ...path],
          message,
        })),
      ),
    ].map(({ path, message }) => ({ path: [...at, ...path], message }))
  })
  return [...checkNeeded(config), ...found, ...checkProxies(config)]
}

function checkNeeded({ listeners, services }: Config): Found[] {
  if (listeners.length > 0 || Object.keys(services).length <= 1) return []
  return [{ path: ['listeners'], message: 'is missing; with several services, say who is where' }]
}

function checkOne(listener: ListenerConfig, config: Config): Found[] {
  const { service, routes, protocol, limits } = listener
  const found: Found[] = service === undefined ? [] : checkServiceName(['service'], service, config)
  if (service === undefined && routes.length === 0)
    found.push({ path: ['service'], message: 'is missing; expected a service, or routes' })
  if (protocol === 'tcp' && routes.length > 0)
    found.push({ path: ['routes'], message: 'TCP has no routes; expected a service alone' })
  if (parseSize(limits.head) > 16_384)
    found.push({ path: ['limits', 'head'], message: `expected at most 16KiB, not ${limits.head}` })
  return found
}

/** Two listeners clash on one address, also where one of them takes every interface. */
function checkClash(listener: ListenerConfig, earlier: readonly ListenerConfig[]): Found[] {
  const own = parseAddress(listener.address)
  const same = earlier.find((other) => {
    const { host, port } = parseAddress(other.address)
    const overlaps = host === own.host || isEveryInterface(host) || isEveryInterface(own.host)
    return port !== 0 && port === own.port && overlaps
  })
  if (same) {
    const message = `another listener is on ${formatAddress(parseAddress(same.address))} already`
    return [{ path: ['address'], message }]
  }
  const name = listener.name
  return name !== undefined && earlier.some((other) => other.name === name)
    ? [{ path: ['name'], message: `another listener is called "${name}" already` }]
    : []
}

function checkRoute(route: RouteConfig, config: Config): Found[] {
  const { service, redirect, answer, status } = route
  const actions = [service, redirect, answer].filter((action) => action !== undefined)
  if (actions.length !== 1)
    return [{ path: [], message: 'expected exactly one of service, redirect and answer' }]
  if (route.path !== undefined && route.exact !== undefined)
    return [{ path: ['exact'], message: 'excludes path' }]
  if (service !== undefined) return checkServiceName(['service'], service, config)
  if (redirect !== undefined && status !== undefined && ![301, 302, 303, 307, 308].includes(status))
    return [
      {
        path: ['status'],
        message: `expected 301, 302, 303, 307 or 308 for a redirect, not ${status}`,
      },
    ]
  return []
}

function checkProxies({ trustedProxies }: Config): Found[] {
  return trustedProxies.flatMap((network, index) =>
    isNetwork(network)
      ? []
      : [
          {
            path: ['trustedProxies', String(index)],
            message: `expected an address or a network such as 10.0.0.0/8, not "${network}"`,
          },
        ],
  )
}

function isNetwork(text: string): boolean {
  const [host = '', bits] = text.split('/')
  const kind = isIP(host)
  if (kind === 0) return false
  if (bits === undefined) return true
  try {
    new BlockList().addSubnet(host, Number(bits), kind === 4 ? 'ipv4' : 'ipv6')
    return /^\d+$/.test(bits)
  } catch {
    // BlockList refuses a prefix that is too long for its kind of address.
    return false
  }
}
