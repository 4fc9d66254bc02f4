import type { KeySource, ServicePlan } from '../../plan.ts'
import { ownAnswers, replacedAnswers } from '../own-answers.ts'
import type { HaproxySetting } from './setting.ts'
import { type Backend, serverName } from './slots.ts'
import { section, word } from './words.ts'

/** A connection that was upgraded may be silent this long. */
const tunnelMs = 86_400_000

/** Returns a backend with its slots, used and spare. */
export function renderBackend(
  backend: Backend,
  service: ServicePlan,
  setting: HaproxySetting,
): string[] {
  const { timeouts, retry, queue } = service
  return section(`backend ${backend.name}`, [
    `mode ${backend.mode}`,
    ...balanceLines(service, backend.mode),
    `retries ${retry.attemptsMax - 1}`,
    'option redispatch 1',
    'option abortonclose',
    `timeout connect ${timeouts.connectMs}ms`,
    `timeout server ${timeouts.firstByteMs}ms`,
    `timeout tunnel ${tunnelMs}ms`,
    `timeout queue ${Math.max(1, queue.waitMs)}ms`,
    ...(backend.mode === 'http' ? httpLines(service, setting) : []),
    ...serverLines(backend, service),
  ])
}

function balanceLines({ policy }: ServicePlan, mode: Backend['mode']): string[] {
  switch (policy.name) {
    case 'least-connections':
      return ['balance leastconn']
    case 'random':
      return ['balance random(1)']
    case 'two-choices':
      return ['balance random(2)']
    case 'ring':
      return [
        `balance hash ${mode === 'tcp' ? 'src' : keyOf(policy.key)}`,
        'hash-type consistent sdbm avalanche',
        ...boundLines(Number(policy.options.epsilon ?? 0)),
      ]
    default:
      return ['balance roundrobin']
  }
}

/** HAProxy's factor is a percentage of the mean, above 100. */
function boundLines(epsilon: number): string[] {
  return epsilon > 0
    ? [`hash-balance-factor ${Math.max(101, Math.round(100 * (1 + epsilon)))}`]
    : []
}

function keyOf(key: KeySource): string {
  switch (key.from) {
    case 'client':
      return 'var(txn.drover_client)'
    case 'path':
      return 'path'
    case 'request-id':
      return 'rand(900000)'
    case 'query':
      return `url_param(${key.name})`
    case 'cookie':
      return `req.cook(${key.name})`
    case 'header':
      return `req.hdr(${key.name})`
  }
}

function httpLines(service: ServicePlan, { answers }: HaproxySetting): string[] {
  const { sticky } = service
  const own = ownAnswers(service)
  return [
    // What may not be repeated is sent again only where it was not sent at all.
    'retry-on conn-failure empty-response',
    'http-request disable-l7-retry unless { method GET HEAD OPTIONS PUT DELETE TRACE } or { req.hdr(idempotency-key) -m found }',
    ...rateLines(service, answers),
    ...(sticky
      ? [
          `cookie ${word(sticky.cookie)} insert indirect nocache httponly dynamic`,
          // The cookie is a hash of the address with this secret: no client can make another's.
          `dynamic-cookie-key ${word(sticky.secret)}`,
        ]
      : []),
    ...own.filter(({ engineStatus }) => engineStatus !== 429).map((one) => answers.errorFile(one)),
    ...replacedAnswers(service).map(
      (one) => `http-response ${answers.returned(one)} if { status ${one.engineStatus} }`,
    ),
  ]
}

/** As many requests as the burst in the time that the burst takes at the rate. */
function rateLines(
  { rateLimit, ...service }: ServicePlan,
  answers: HaproxySetting['answers'],
): string[] {
  const limited = ownAnswers(service).find(({ engineStatus }) => engineStatus === 429)
  if (rateLimit === undefined || limited === undefined) return []
  const periodMs = Math.max(1, Math.round((1_000 * rateLimit.burst) / rateLimit.perSecond))
  return [
    `stick-table type ipv6 size 100k expire ${2 * periodMs}ms store http_req_rate(${periodMs}ms)`,
    'http-request track-sc0 var(txn.drover_client)',
    `http-request ${answers.returned(limited, true)} if { sc_http_req_rate(0) gt ${rateLimit.burst} }`,
  ]
}

function serverLines({ slots, mode }: Backend, service: ServicePlan): string[] {
  const { inFlightMax, queue, timeouts, sendProxyProtocol } = service
  const common = [
    ...(inFlightMax > 0
      ? [`maxconn ${inFlightMax} maxqueue ${queueOf(queue.sizeMax, service)}`]
      : []),
    ...(sendProxyProtocol ? ['send-proxy-v2'] : []),
    ...(mode === 'http' ? [`pool-purge-delay ${Math.max(1, timeouts.keepAliveMs)}ms`] : []),
  ]
  return [
    ...(common.length > 0 ? [`default-server ${common.join(' ')}`] : []),
    ...slots.map(({ address, weight, serving }, index) => {
      // A slot that nobody had yet still needs an address, and not the same as another's.
      const known = address === '' ? `127.0.0.1:${index + 1}` : address
      return `server ${serverName(index)} ${known} weight ${weight}${serving ? '' : ' disabled'}`
    }),
  ]
}

/** The bound of a queue is by server here; 0 would be without a bound. */
function queueOf(sizeMax: number, { replicas }: ServicePlan): number {
  return Math.max(1, Math.ceil(sizeMax / Math.max(1, replicas.length)))
}
