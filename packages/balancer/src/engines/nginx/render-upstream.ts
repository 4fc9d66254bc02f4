import { formatAddress } from '@drover/kernel'
import type { KeySource, ServicePlan } from '../../plan.ts'
import { wholeWeights } from '../whole-weights.ts'
import { block, time } from './words.ts'

/** Idle connections that each worker keeps to a service. */
const idleConnectionsMax = 128

/** Returns the name of a service's upstream group. */
export function upstreamName(service: string): string {
  return `drover_${service}`
}

/** Returns the replicas that nginx is to send new requests; those that drain keep what they have. */
export function servedBy(service: ServicePlan) {
  return service.replicas.filter(({ draining }) => !draining)
}

/** Returns the upstream group of a service; none when nobody serves it, which nginx does not allow. */
export function renderUpstream(service: ServicePlan, isTcp: boolean): string[] {
  const replicas = servedBy(service)
  if (replicas.length === 0) return []
  const weights = wholeWeights(
    replicas.map(({ weight }) => weight),
    100,
  )
  const most = service.inFlightMax > 0 ? ` max_conns=${service.inFlightMax}` : ''
  const name = upstreamName(service.name)
  return block(`upstream ${name}`, [
    `zone ${name}${isTcp ? '_tcp' : ''} 512k;`,
    ...balanceLines(service),
    ...replicas.map(
      (replica, index) =>
        // Health is the control plane's matter: nginx must not put servers aside by itself.
        `server ${formatAddress(replica)} weight=${weights[index]} max_fails=0${most};`,
    ),
    ...(isTcp ? [] : keepAliveLines(service)),
  ])
}

function balanceLines({ policy }: ServicePlan): string[] {
  switch (policy.name) {
    case 'least-connections':
      return ['least_conn;']
    case 'random':
      return ['random;']
    case 'two-choices':
      return ['random two least_conn;']
    case 'ring':
      return [`hash ${keyVariable(policy.key)} consistent;`]
    default:
      return []
  }
}

function keyVariable(key: KeySource): string {
  switch (key.from) {
    case 'client':
      return '$remote_addr'
    case 'path':
      return '$uri'
    case 'request-id':
      return '$request_id'
    case 'query':
      return `$arg_${key.name}`
    case 'cookie':
      return `$cookie_${key.name}`
    case 'header':
      return `$http_${key.name.toLowerCase().replaceAll('-', '_')}`
  }
}

function keepAliveLines({ timeouts }: ServicePlan): string[] {
  if (timeouts.keepAliveMs === 0) return []
  return [
    `keepalive ${idleConnectionsMax};`,
    `keepalive_timeout ${time(timeouts.keepAliveMs)};`,
    'keepalive_requests 1000000;',
  ]
}
