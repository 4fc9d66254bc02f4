import { formatAddress } from '@drover/kernel'
import type { ListenerPlan, Plan, RouteMatch, RoutePlan } from '../../plan.ts'
import { literalPattern } from '../literals.ts'
import { problemAnswer } from '../own-answers.ts'
import type { HaproxySetting } from './setting.ts'
import { literal, section, word } from './words.ts'

/** Returns the frontend of a listener. */
export function renderFrontend(
  listener: ListenerPlan,
  plan: Plan,
  setting: HaproxySetting,
): string[] {
  const { name, limits, timeouts, protocol } = listener
  return section(`frontend ${name}`, [
    `mode ${protocol}`,
    bindLine(listener, setting),
    `maxconn ${Math.min(limits.connectionsMax, setting.connectionsMax)}`,
    `timeout client ${timeouts.stallMs}ms`,
    ...(protocol === 'tcp'
      ? tcpLines(listener, plan)
      : [
          `timeout http-request ${timeouts.headMs}ms`,
          `timeout http-keep-alive ${timeouts.idleMs}ms`,
          // Kept connections are not closed at once on a reload, so that no request crosses with that.
          'option idle-close-on-response',
          ...logLines(plan),
          ...headerLines(plan.trustedProxies),
          ...routeLines(listener.routes, plan, setting),
        ]),
  ])
}

function bindLine({ name, host, tls, acceptProxyProtocol }: ListenerPlan, setting: HaproxySetting) {
  const address = formatAddress({ host, port: setting.ports[name] ?? 0 })
  const proxy = acceptProxyProtocol ? ' accept-proxy' : ''
  if (tls === undefined) return `bind ${address}${proxy}`
  const protocols = tls.http2 ? 'h2,http/1.1' : 'http/1.1'
  const list = word(`${setting.folder}/${name}.crtlist`)
  return `bind ${address}${proxy} ssl crt-list ${list} alpn ${protocols} ssl-min-ver TLSv1.2`
}

function tcpLines({ service }: ListenerPlan, plan: Plan): string[] {
  return plan.services.some(({ name }) => name === service)
    ? [`default_backend tcp_${service}`]
    : ['tcp-request connection reject']
}

/** JSON lines on standard output, from where the engine takes them to the file. */
function logLines({ accessLogFile }: Plan): string[] {
  if (accessLogFile === undefined) return []
  const fields = [
    '"time":"%[date,utime(%Y-%m-%dT%H:%M:%SZ)]"',
    '"method":"%[capture.req.method,json(utf8s)]"',
    '"host":"%[capture.req.hdr(0),json(utf8s)]"',
    '"target":"%[capture.req.uri,json(utf8s)]"',
    '"client":"%ci"',
    '"service":"%b"',
    '"replica":"%si:%sp"',
    '"status":%ST',
    '"durationMs":%Ta',
    '"bytesIn":%U',
    '"bytesOut":%B',
    '"requestId":"%[var(txn.drover_request),json(utf8s)]"',
  ]
  return [
    'log stdout format raw local0',
    'http-request capture req.hdr(host) len 255',
    `log-format ${word(`{${fields.join(',')}}`)}`,
  ]
}

/** What replicas are told of the client; what a trusted proxy said is extended, the rest replaced. */
function headerLines(trustedProxies: readonly string[]): string[] {
  const trusted = trustedProxies.join(' ')
  const isTrusted = trusted === '' ? 'acl trusted always_false' : `acl trusted src ${trusted}`
  return [
    isTrusted,
    'acl secure ssl_fc',
    'acl told_for req.hdr(x-forwarded-for) -m found',
    'acl told_proto req.hdr(x-forwarded-proto) -m found',
    'acl told_host req.hdr(x-forwarded-host) -m found',
    'acl over_v6 src -m sub :',
    'http-request set-var(txn.drover_path) path',
    'http-request set-var(txn.drover_client) src',
    // The nearest hop that no trusted proxy stands for; chains of more than four are not looked at.
    ...(trusted === ''
      ? []
      : [1, 2, 3, 4].map(
          (hop) =>
            `http-request set-var(txn.drover_client) req.hdr_ip(x-forwarded-for,-${hop})` +
            ` if { var(txn.drover_client) -m ip ${trusted} } { req.hdr_cnt(x-forwarded-for) ge ${hop} }`,
        )),
    'http-request del-header forwarded unless trusted',
    'http-request set-header x-forwarded-for %[src] unless trusted',
    'http-request add-header x-forwarded-for %[src] if trusted',
    'http-request set-var(txn.drover_proto) str(https) if secure',
    'http-request set-var(txn.drover_proto) str(http) unless secure',
    'http-request set-header x-forwarded-proto %[var(txn.drover_proto)] if !trusted or !told_proto',
    'http-request set-header x-forwarded-host %[req.hdr(host)] if !trusted or !told_host',
    `http-request add-header forwarded ${forwarded('%[src]')} unless over_v6`,
    `http-request add-header forwarded ${forwarded('"[%[src]]"')} if over_v6`,
    'http-request set-header x-request-id %[uuid(4),regsub(-,,g)] unless { req.hdr(x-request-id) -m found }',
    'http-request set-var(txn.drover_request) req.hdr(x-request-id)',
    'http-request set-header traceparent 00-%[uuid(4),regsub(-,,g)]-%[uuid(4),regsub(-,,g),bytes(0,16)]-00' +
      ' unless { req.hdr(traceparent) -m found }',
  ]
}

function forwarded(node: string): string {
  return word(`for=${node};host="%[req.hdr(host)]";proto=%[var(txn.drover_proto)]`)
}

/**
 * The first route whose conditions all hold is noted in a variable; what it leads to follows. Rules
 * are carried out in their order, so a route is looked at only while none was found.
 */
function routeLines(routes: readonly RoutePlan[], plan: Plan, setting: HaproxySetting): string[] {
  const isKnown = (service: string) => plan.services.some(({ name }) => name === service)
  const none = setting.answers.returned(problemAnswer('NO_ROUTE', 'no route fits'))
  return [
    'acl routed var(txn.drover_route) -m found',
    ...routes.flatMap(({ match }, index) => matchLines(match, index)),
    `http-request ${none} unless routed`,
    ...routes.flatMap(({ action }, index) => {
      const isHere = `if { var(txn.drover_route) -m int ${index} }`
      if (action.kind === 'answer')
        return [`http-request ${setting.answers.returned(action)} ${isHere}`]
      if (action.kind === 'redirect')
        return [
          `http-request redirect code ${action.status} location ${location(action.location)} ${isHere}`,
        ]
      if (!isKnown(action.service)) return [`http-request ${none} ${isHere}`]
      return action.stripPrefix === undefined ? [] : [`${stripLine(action.stripPrefix)} ${isHere}`]
    }),
    ...routes.flatMap(({ action }, index) => {
      return action.kind === 'service' && isKnown(action.service)
        ? [`use_backend http_${action.service} if { var(txn.drover_route) -m int ${index} }`]
        : []
    }),
  ]
}

/** Several lines of one acl are alternatives; the acls of a rule must all hold. */
function matchLines(match: RouteMatch, index: number): string[] {
  const { hosts, path, pathPrefix, methods, headers = {} } = match
  const lines: string[] = []
  const names: string[] = []
  const condition = (...alternatives: readonly string[]) => {
    const name = `r${index}c${names.length}`
    names.push(name)
    lines.push(...alternatives.map((one) => `acl ${name} ${one}`))
  }
  if (hosts) condition(...hosts.map(hostTest))
  if (path !== undefined) condition(`path -m str -- ${word(path)}`)
  if (pathPrefix !== undefined && pathPrefix !== '/') condition(...prefixTests(pathPrefix))
  if (methods) condition(`method -m str -- ${methods.map(word).join(' ')}`)
  for (const [name, value] of Object.entries(headers)) {
    const test = value === '*' ? '-m found' : `-m str -- ${word(value)}`
    condition(`req.fhdr(${name}) ${test}`)
  }
  lines.push(`http-request set-var(txn.drover_route) int(${index}) if !routed ${names.join(' ')}`)
  return lines
}

function hostTest(host: string): string {
  const name = host.toLowerCase()
  const test = name.startsWith('*.') ? `-m end -- ${name.slice(1)}` : `-m str -- ${name}`
  return `req.hdr(host),host_only,lower ${test}`
}

function prefixTests(prefix: string): string[] {
  if (prefix.endsWith('/')) return [`path -m beg -- ${word(prefix)}`]
  return [`path -m str -- ${word(prefix)}`, `path -m beg -- ${word(`${prefix}/`)}`]
}

/** `replace-path` leaves the query string alone. */
function stripLine(prefix: string): string {
  const bare = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix
  return `http-request replace-path ${word(`^${literalPattern(bare)}/*(.*)$`)} ${word('/\\1')}`
}

function location(template: string): string {
  const filled = literal(template)
    .replaceAll('{host}', () => '%[req.hdr(host)]')
    .replaceAll('{path}', () => '%[var(txn.drover_path)]')
    .replaceAll('{query}', () => '%HQ')
  return word(filled)
}
