import { resolve } from 'node:path'
import type { ListenerModel, RouteAction, RoutePlan, TlsModel } from '@drover/balancer'
import { parseAddress, parseDuration, parseSize } from '@drover/kernel'
import type { ListenerConfig, RouteConfig } from './listener-schema.ts'
import { managedService, manageService } from './managed.ts'
import type { Config } from './schema.ts'

/** Returns the listener as the front door knows it; relative files start in `folder`. */
export function toListener(
  listener: ListenerConfig,
  config: Config,
  folder: string,
): ListenerModel {
  const { address, protocol, service, limits, timeouts } = listener
  const tls = toTls(listener, folder)
  const last = service === undefined ? [] : [toRoute({ path: '/', service }, 'rest')]
  return {
    name: listenerName(listener, config.listeners),
    ...parseAddress(address),
    protocol,
    ...(tls ? { tls } : {}),
    routes:
      protocol === 'tcp'
        ? []
        : [
            ...manageRoutes(listener, config),
            ...listener.routes.map((route, place) => toRoute(route, `route-${place + 1}`)),
            ...last,
          ],
    ...(protocol === 'tcp' && service !== undefined ? { service } : {}),
    acceptProxyProtocol: listener.acceptProxyProtocol,
    limits: {
      connectionsMax: limits.connections,
      headBytesMax: parseSize(limits.head),
      headersMax: limits.headers,
      bodyBytesMax: parseSize(limits.body),
    },
    timeouts: {
      headMs: parseDuration(timeouts.head),
      idleMs: parseDuration(timeouts.idle),
      stallMs: parseDuration(timeouts.stall),
    },
  }
}

/** The name that was given, or one made of the address: `127.0.0.1-8080`. */
function listenerName(listener: ListenerConfig, all: readonly ListenerConfig[]): string {
  if (listener.name !== undefined) return listener.name
  const { host, port } = parseAddress(listener.address)
  const name = `${host.replaceAll(':', '_')}-${port}`
  const twins = all.filter(({ address }) => address === listener.address)
  return twins.length > 1 ? `${name}-${twins.indexOf(listener) + 1}` : name
}

function toTls({ tls }: ListenerConfig, folder: string): TlsModel | undefined {
  if (!tls) return undefined
  return {
    http2: tls.http2,
    certificates: tls.certificates.map(({ names, certificate, key }) => ({
      ...(names.length > 0 ? { names } : {}),
      certificateFile: resolve(folder, certificate),
      keyFile: resolve(folder, key),
    })),
  }
}

function toRoute(route: RouteConfig, place: string): RoutePlan {
  const { host, path, exact, methods, headers } = route
  const lowered = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value])
  return {
    name: route.name ?? place,
    match: {
      ...(host === undefined ? {} : { hosts: [host] }),
      ...(path === undefined ? {} : { pathPrefix: path }),
      ...(exact === undefined ? {} : { path: exact }),
      ...(methods ? { methods } : {}),
      ...(headers ? { headers: Object.fromEntries(lowered) } : {}),
    },
    action: toAction(route),
  }
}

function toAction(route: RouteConfig): RouteAction {
  const { service, strip, redirect, answer = '', status } = route
  if (service !== undefined)
    return { kind: 'service', service, ...(strip === undefined ? {} : { stripPrefix: strip }) }
  if (redirect !== undefined) {
    const known = ([301, 302, 303, 307, 308] as const).find((code) => code === status)
    return { kind: 'redirect', status: known ?? 302, location: redirect }
  }
  const { contentType = 'text/plain; charset=utf-8' } = route
  return { kind: 'answer', status: status ?? 200, contentType, body: answer }
}

/** The management API lies in front of the listeners that reach the managed service. */
function manageRoutes(listener: ListenerConfig, config: Config): RoutePlan[] {
  const { manage } = config
  const managed = managedService(config)
  const reaches = [listener, ...listener.routes].some(({ service }) => service === managed)
  if (!manage || !reaches) return []
  const below = manage.path.replace(/\/+$/, '')
  const routes: [string, string[]][] = [
    ['/rep', ['GET', 'HEAD']],
    ['/add', ['POST']],
    ['/rm', ['DELETE', 'POST']],
  ]
  return routes.map(([path, methods]) => ({
    name: `manage${path}`,
    match: { path: `${below}${path}`, methods },
    action: {
      kind: 'service',
      service: manageService,
      ...(below === '' ? {} : { stripPrefix: below }),
    },
  }))
}
