import { formatAddress } from '@drover/kernel'
import type { ListenerPlan, Plan, ServicePlan } from '../../plan.ts'
import { renderUpstream, servedBy, upstreamName } from './render-upstream.ts'
import { certificateLines, type NginxSetting } from './setting.ts'
import { block, time, word } from './words.ts'

/** Returns the stream block for the TCP listeners of `plan`; nothing when there are none. */
export function renderTcp(plan: Plan, setting: NginxSetting): string[] {
  const listeners = plan.listeners.filter(({ protocol }) => protocol === 'tcp')
  if (listeners.length === 0) return []
  const used = new Set(listeners.map(({ service }) => service))
  const services = plan.services.filter(({ name }) => used.has(name))
  return block('stream', [
    'log_format drover_count "t\\t$drover_service\\t$upstream_addr\\t$upstream_first_byte_time\\t' +
      '$upstream_connect_time\\t$status\\t$session_time\\t$bytes_received\\t$bytes_sent\\t-";',
    `access_log ${word(`${setting.folder}/count.log`)} drover_count buffer=32k flush=300ms;`,
    ...services.flatMap((service) => renderUpstream(service, true)),
    ...listeners.flatMap((listener) => renderServer(listener, services, setting)),
  ])
}

function renderServer(
  listener: ListenerPlan,
  services: readonly ServicePlan[],
  setting: NginxSetting,
): string[] {
  const { name, host, tls, acceptProxyProtocol, timeouts } = listener
  const address = formatAddress({ host, port: setting.ports[name] ?? 0 })
  const words = `${tls ? ' ssl' : ''}${acceptProxyProtocol ? ' proxy_protocol' : ''}`
  const service = services.find((one) => one.name === listener.service)
  return block('server', [
    `listen ${address}${words};`,
    ...(tls ? certificateLines(name, 0, setting.folder) : []),
    ...(acceptProxyProtocol ? ['set_real_ip_from 0.0.0.0/0;', 'set_real_ip_from ::/0;'] : []),
    `proxy_timeout ${time(timeouts.stallMs)};`,
    ...(service === undefined || servedBy(service).length === 0
      ? ['set $drover_service "";', 'return "";']
      : passLines(service)),
  ])
}

function passLines(service: ServicePlan): string[] {
  return [
    `set $drover_service ${service.name};`,
    `proxy_connect_timeout ${time(service.timeouts.connectMs)};`,
    `proxy_next_upstream_tries ${service.retry.attemptsMax};`,
    `proxy_pass ${upstreamName(service.name)};`,
  ]
}
