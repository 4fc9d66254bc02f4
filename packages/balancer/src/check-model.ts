import { isIP } from 'node:net'
import { nearest } from '@drover/kernel'
import { checkService } from './check-service.ts'
import { check, checkNumbers, isHost, isToken, refuse, whole } from './checks.ts'
import type { ListenerModel, Model, TlsModel } from './model.ts'
import type { RouteAction, RouteMatch, RoutePlan } from './plan.ts'

/**
 * Throws PLAN_REFUSED for the first thing in `model` that cannot be used; the message says where it
 * is and what was expected. What an engine lacks, the engine refuses itself.
 */
export function checkModel(model: Model): void {
  checkNames('listener', model.listeners)
  checkNames('service', model.services)
  const services = model.services.map(({ name }) => name)
  for (const service of model.services) checkService(service)
  for (const listener of model.listeners) checkListener(listener, services)
  checkAddresses(model.listeners)
  for (const network of model.trustedProxies)
    check(isNetwork(network), 'trustedProxies', 'an address or a network (CIDR)', network)
}

/** Names become parts of file names and of foreign configurations, so they are kept plain. */
function checkNames(kind: string, things: readonly { readonly name: string }[]): void {
  const seen = new Set<string>()
  for (const { name } of things) {
    check(
      /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(name),
      `${kind} name`,
      'letters, digits, dots, dashes and underscores, at most 64',
      name,
    )
    // Foreign engines do not tell upper from lower case in names.
    if (seen.has(name.toLowerCase())) throw refuse(`${kind} ${name} is there twice`)
    seen.add(name.toLowerCase())
  }
}

function checkListener(listener: ListenerModel, services: readonly string[]): void {
  const where = `listener ${listener.name}`
  check(isHost(listener.host), `${where} host`, 'an address or a host name', listener.host)
  checkNumbers(where, [
    ['port', listener.port, whole(0, 65_535)],
    ['limits.connectionsMax', listener.limits.connectionsMax, whole(1)],
    ['limits.headBytesMax', listener.limits.headBytesMax, whole(512, 16_384)],
    ['limits.headersMax', listener.limits.headersMax, whole(1, 100)],
    ['limits.bodyBytesMax', listener.limits.bodyBytesMax, whole(0)],
    ['timeouts.headMs', listener.timeouts.headMs, whole(1)],
    ['timeouts.idleMs', listener.timeouts.idleMs, whole(1)],
    ['timeouts.stallMs', listener.timeouts.stallMs, whole(1)],
  ])
  if (listener.tls) checkTls(where, listener.tls)
  if (listener.protocol === 'tcp') checkTcp(where, listener, services)
  else checkRoutes(where, listener.routes, services)
}

function checkTcp(where: string, listener: ListenerModel, services: readonly string[]): void {
  if (listener.routes.length > 0) throw refuse(`${where} is TCP and cannot have routes`)
  if (listener.service === undefined) throw refuse(`${where} is TCP and needs a service`)
  checkKnown(where, listener.service, services)
}

function checkTls(where: string, tls: TlsModel): void {
  if (tls.certificates.length === 0) throw refuse(`${where} has TLS without a certificate`)
  for (const { names = [] } of tls.certificates)
    for (const name of names)
      check(isHostPattern(name), `${where} certificate name`, 'a host name or *.example.org', name)
}

function checkRoutes(
  where: string,
  routes: readonly RoutePlan[],
  services: readonly string[],
): void {
  for (const { name, match, action } of routes) {
    checkMatch(`${where} route ${name}`, match)
    checkAction(`${where} route ${name}`, action, services)
  }
}

function checkMatch(where: string, match: RouteMatch): void {
  for (const host of match.hosts ?? [])
    check(isHostPattern(host), `${where} host`, 'a host name or *.example.org', host)
  for (const path of [match.path, match.pathPrefix])
    if (path !== undefined) check(isPath(path), `${where} path`, 'a path that begins with /', path)
  for (const method of match.methods ?? [])
    check(isToken(method), `${where} method`, 'a method such as GET', method)
  for (const [header, value] of Object.entries(match.headers ?? {})) {
    check(isToken(header), `${where} header`, 'the name of a header', header)
    check(header === header.toLowerCase(), `${where} header`, 'a name in lower case', header)
    check(isLine(value), `${where} header ${header}`, 'a value of one line', value)
  }
}

function checkAction(where: string, action: RouteAction, services: readonly string[]): void {
  if (action.kind === 'service') {
    checkKnown(where, action.service, services)
    const { stripPrefix = '/' } = action
    check(isPath(stripPrefix), `${where} stripPrefix`, 'a path that begins with /', stripPrefix)
  } else if (action.kind === 'redirect') {
    check(
      [301, 302, 303, 307, 308].includes(action.status),
      `${where} status`,
      '301, 302, 303, 307 or 308',
      action.status,
    )
    const isUsable = action.location !== '' && isLine(action.location)
    check(isUsable, `${where} location`, 'an address of one line', action.location)
  } else {
    checkNumbers(where, [['status', action.status, whole(200, 599)]])
    check(isLine(action.contentType), `${where} contentType`, 'one line', action.contentType)
  }
}

function checkKnown(where: string, service: string, services: readonly string[]): void {
  if (services.includes(service)) return
  const near = nearest(service, services)
  const hint = near ? `did you mean ${near}?` : `known are ${services.join(', ') || 'none'}`
  throw refuse(`${where} names the service ${service}, which is not there; ${hint}`)
}

/** Two listeners on one address would fail at the second; 0 is another port each time. */
function checkAddresses(listeners: readonly ListenerModel[]): void {
  const seen = new Map<string, string>()
  for (const { name, host, port } of listeners) {
    const address = `${host}:${port}`
    const other = port === 0 ? undefined : seen.get(address)
    if (other !== undefined) throw refuse(`listeners ${other} and ${name} both want ${address}`)
    seen.set(address, name)
  }
}

function isNetwork(text: string): boolean {
  const match = /^([0-9A-Fa-f.:]+)(?:\/(\d{1,3}))?$/.exec(text)
  const family = isIP(match?.[1] ?? '')
  return family !== 0 && Number(match?.[2] ?? 0) <= (family === 4 ? 32 : 128)
}

function isHostPattern(text: string): boolean {
  return isHost(text.replace(/^\*\./, ''))
}

/** Visible ASCII without what would end a path or a line of a foreign configuration. */
function isPath(text: string): boolean {
  return /^\/[!-~]*$/.test(text) && !/[#?]/.test(text)
}

function isLine(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  return !/[\x00-\x08\x0a-\x1f\x7f]/.test(text)
}
