import type { ListenerPlan, RouteMatch, RoutePlan, ServicePlan } from '../../plan.ts'
import { literalPattern, prefixPattern } from '../literals.ts'
import { problemAnswer } from '../own-answers.ts'
import { renderServiceLocations } from './render-service.ts'
import { block, filledWord, patternWord, word } from './words.ts'

/**
 * How the first route that fits is found: each condition of each route is a variable that is 0 or 1
 * (a `map`), and one more map takes their row of digits to the number of the first route all of
 * whose conditions hold. nginx tries the patterns of a map in their order. A location per route
 * follows, of which `try_files` takes the one with that number.
 */
export interface RenderedRoutes {
  /** For the http block. */
  readonly maps: readonly string[]
  /** For each server block of the listener. */
  readonly locations: readonly string[]
}

/** Returns the maps and locations of a listener's routes. */
export function renderRoutes(
  listener: ListenerPlan,
  index: number,
  services: readonly ServicePlan[],
): RenderedRoutes {
  const prefix = `drover_l${index}`
  const conditions: Condition[] = []
  const rows = listener.routes.map((route) => {
    const own = conditionsOf(route.match)
    conditions.push(...own)
    return own.length
  })
  const maps = conditions.flatMap(({ source, fits }, index) =>
    block(`map ${source} $${prefix}_c${index}`, ['default 0;', ...fits.map((fit) => `${fit} 1;`)]),
  )
  const digits = conditions.map((_, index) => `$\{${prefix}_c${index}}`).join('')
  return {
    maps: [
      ...maps,
      ...block(`map "r${digits}" $${prefix}_route`, ['default none;', ...routeLines(rows)]),
    ],
    locations: [
      ...block('location /', [`try_files /none @r$\{${prefix}_route}$drover_upgrade;`]),
      ...listener.routes.flatMap((route, index) => routeLocations(route, index, services)),
      ...noRouteLocations(),
    ],
  }
}

/** One line for each route: ones where its own conditions stand, anything before. */
function routeLines(rows: readonly number[]): string[] {
  let before = 0
  return rows.map((count, index) => {
    const line = `${patternWord(`^r.{${before}}${'1'.repeat(count)}`)} ${index};`
    before += count
    return line
  })
}

interface Condition {
  /** What is looked at: a variable. */
  readonly source: string
  /** Keys of a map, each of which fulfils the condition. */
  readonly fits: readonly string[]
}

function conditionsOf(match: RouteMatch): Condition[] {
  const { hosts, path, pathPrefix, methods, headers = {} } = match
  const conditions: Condition[] = []
  if (hosts) conditions.push({ source: '$host', fits: hosts.map(hostPattern) })
  if (path !== undefined)
    conditions.push({ source: '$drover_path', fits: [patternWord(`^${literalPattern(path)}$`)] })
  if (pathPrefix !== undefined && pathPrefix !== '/')
    conditions.push({ source: '$drover_path', fits: [patternWord(prefixPattern(pathPrefix))] })
  if (methods)
    conditions.push({
      source: '$request_method',
      fits: methods.map((method) => patternWord(`^${literalPattern(method)}$`)),
    })
  for (const [name, value] of Object.entries(headers))
    conditions.push({
      source: `$http_${name.replaceAll('-', '_')}`,
      fits: [patternWord(value === '*' ? '.' : `^${literalPattern(value)}$`)],
    })
  return conditions
}

function hostPattern(host: string): string {
  const name = host.toLowerCase()
  if (!name.startsWith('*.')) return patternWord(`^${literalPattern(name)}$`)
  return patternWord(`^.+${literalPattern(name.slice(1))}$`)
}

/** The locations of one route: one for ordinary requests, one for those that ask for an upgrade. */
function routeLocations(
  { action }: RoutePlan,
  index: number,
  services: readonly ServicePlan[],
): string[] {
  const both = (lines: readonly string[]) => [
    ...block(`location @r${index}`, lines),
    ...block(`location @r${index}u`, lines),
  ]
  if (action.kind === 'answer')
    return both([
      `default_type ${word(action.contentType)};`,
      `return ${action.status} ${filledWord(action.body)};`,
    ])
  if (action.kind === 'redirect')
    return both([`return ${action.status} ${redirectWord(action.location)};`])
  const service = services.find(({ name }) => name === action.service)
  if (service === undefined) return both(noRouteLines())
  return renderServiceLocations(service, index, action.stripPrefix)
}

/** `{host}`, `{path}` and `{query}` become nginx's variables, which no client can break out of. */
function redirectWord(location: string): string {
  return filledWord(location)
    .replaceAll('{host}', () => '$http_host')
    .replaceAll('{path}', () => '$drover_path')
    .replaceAll('{query}', () => '$is_args$args')
}

function noRouteLocations(): string[] {
  return [...block('location @rnone', noRouteLines()), ...block('location @rnoneu', noRouteLines())]
}

function noRouteLines(): string[] {
  const { status, contentType, body } = problemAnswer('NO_ROUTE', 'no route fits')
  return [`default_type ${word(contentType)};`, `return ${status} ${filledWord(body)};`]
}
