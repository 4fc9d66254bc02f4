import type { RouteAction, RouteMatch, RoutePlan } from '../plan.ts'
import { hostName } from './parsing/host.ts'
import type { RequestHead } from './parsing/request-head.ts'

/** Finds the action of a request: the first route of the list that fits. Cost O(routes). */
export class Router {
  readonly #routes: readonly RoutePlan[]
  readonly #usesHosts: boolean

  constructor(routes: readonly RoutePlan[]) {
    this.#routes = routes
    this.#usesHosts = routes.some(({ match }) => match.hosts !== undefined)
  }

  find(head: RequestHead): RouteAction | undefined {
    const host = this.#usesHosts ? hostName(head.host) : ''
    for (const route of this.#routes) if (fits(route.match, head, host)) return route.action
    return undefined
  }
}

function fits(match: RouteMatch, head: RequestHead, host: string): boolean {
  const { hosts, path, pathPrefix, methods, headers } = match
  if (hosts !== undefined && !hosts.some((name) => hostFits(name, host))) return false
  if (path !== undefined && head.path !== path) return false
  if (pathPrefix !== undefined && !prefixFits(pathPrefix, head.path)) return false
  if (methods !== undefined && !methods.includes(head.method)) return false
  if (headers === undefined) return true
  return Object.entries(headers).every(([name, wanted]) => {
    const value = head.header(name)
    return value !== undefined && (wanted === '*' || value === wanted)
  })
}

/** `*.example.org` fits every name below example.org, but not itself. */
function hostFits(pattern: string, host: string): boolean {
  const name = pattern.toLowerCase()
  return name.startsWith('*.') ? host.endsWith(name.slice(1)) : host === name
}

function prefixFits(prefix: string, path: string): boolean {
  if (prefix === '/') return true
  if (!path.startsWith(prefix)) return false
  return path.length === prefix.length || prefix.endsWith('/') || path[prefix.length] === '/'
}

/** Returns the target without `prefix`, which the route fitted. */
export function stripPrefix(target: string, prefix: string): string {
  const bare = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix
  if (!target.startsWith(bare)) return target
  const rest = target.slice(bare.length)
  return rest.startsWith('/') ? rest : `/${rest}`
}

/** Fills `{host}`, `{path}` and `{query}` of a redirect; nothing in it can end the header line. */
export function redirectLocation(template: string, head: RequestHead): string {
  const query = head.target.slice(head.path.length)
  return template
    .replaceAll('{host}', () => head.host)
    .replaceAll('{path}', () => head.path)
    .replaceAll('{query}', () => query)
}
