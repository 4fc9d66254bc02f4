import type { AdminApi } from './admin-api.ts'
import { call } from './call.ts'

/** A call of the admin API, as `GET /v1/status`. */
export type AdminRoute = keyof AdminApi

export type Answer<Route extends AdminRoute> = AdminApi[Route]['answer']

/** What a route takes: `path`, `query` and `body`, each where the document has it. */
type Wish<Route extends AdminRoute> = Omit<AdminApi[Route], 'answer'>

type NeedsNothing<Route extends AdminRoute> = AdminApi[Route] extends
  | { path: unknown }
  | { body: unknown }
  ? false
  : true

/** Calls the admin API; what it takes and answers is typed by its OpenAPI document. Throws Problem. */
export function admin<Route extends AdminRoute>(
  route: Route,
  ...[wish]: NeedsNothing<Route> extends true ? [wish?: Wish<Route>] : [wish: Wish<Route>]
): Promise<Answer<Route>> {
  const [method = '', template = ''] = route.split(' ')
  const {
    path = {},
    query = {},
    body,
  } = (wish ?? {}) as {
    path?: Record<string, unknown>
    query?: Record<string, unknown>
    body?: unknown
  }
  return call(method, fill(template, path) + search(query), body === undefined ? {} : { body })
}

/** Puts values in the place of `{name}`. */
function fill(template: string, values: Readonly<Record<string, unknown>>): string {
  return template.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(values[name] ?? '')),
  )
}

/** Returns `?a=1&b=2`, without what is undefined; empty for none. */
export function search(values: Readonly<Record<string, unknown>>): string {
  const known = Object.entries(values).filter(([, value]) => value !== undefined && value !== '')
  const text = new URLSearchParams(known.map(([name, value]) => [name, String(value)])).toString()
  return text === '' ? '' : `?${text}`
}

export type Status = Answer<'GET /v1/status'>
export type Service = Status['services'][number]
export type Replica = Service['replicas'][number]
export type InstanceEvent = Answer<'GET /v1/events'>[number]
export type Part = Answer<'GET /v1/parts'>[number]
