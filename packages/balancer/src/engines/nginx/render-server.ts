import { formatAddress } from '@drover/kernel'
import type { ListenerPlan, TlsPlan } from '../../plan.ts'
import { problemAnswer } from '../own-answers.ts'
import { isAtLeast } from '../program.ts'
import { certificateLines, hasHttp2Directive, type NginxSetting } from './setting.ts'
import { block, filledWord, time, word } from './words.ts'

/** Returns the server blocks of a listener: one for each certificate, all with the same `locations`. */
export function renderServers(
  listener: ListenerPlan,
  locations: readonly string[],
  setting: NginxSetting,
): string[] {
  const { tls } = listener
  const body = [...limitLines(listener, setting), ...locations]
  if (tls === undefined)
    return block('server', [
      `listen ${listenWords(listener, setting)} default_server;`,
      'server_name _;',
      ...body,
    ])
  return tls.certificates.flatMap(({ names }, index) =>
    block('server', [
      `listen ${listenWords(listener, setting)} ssl${http2Word(tls, setting)}${index === 0 ? ' default_server' : ''};`,
      ...(tls.http2 && hasHttp2Directive(setting) ? ['http2 on;'] : []),
      `server_name ${index === 0 ? '_ ' : ''}${names.join(' ')};`,
      ...certificateLines(listener.name, index, setting.folder),
      ...body,
    ]),
  )
}

function listenWords({ name, host, acceptProxyProtocol }: ListenerPlan, setting: NginxSetting) {
  const address = formatAddress({ host, port: setting.ports[name] ?? 0 })
  return acceptProxyProtocol ? `${address} proxy_protocol` : address
}

function http2Word({ http2 }: TlsPlan, setting: NginxSetting): string {
  return http2 && !hasHttp2Directive(setting) ? ' http2' : ''
}

function limitLines(
  { limits, timeouts, acceptProxyProtocol }: ListenerPlan,
  setting: NginxSetting,
) {
  const { contentType, body } = problemAnswer('BODY_TOO_LARGE', 'the body is over the limit')
  return [
    'set $drover_service "";',
    ...(acceptProxyProtocol
      ? ['set_real_ip_from 0.0.0.0/0;', 'set_real_ip_from ::/0;', 'real_ip_header proxy_protocol;']
      : []),
    'client_header_buffer_size 1k;',
    `large_client_header_buffers 1 ${limits.headBytesMax};`,
    ...(isAtLeast(setting.abilities.version, [1, 29, 8])
      ? [`max_headers ${limits.headersMax};`]
      : []),
    // Idle connections are not closed at once on a reload, so that no request crosses with that.
    ...(isAtLeast(setting.abilities.version, [1, 27, 4]) ? ['keepalive_min_timeout 5s;'] : []),
    `client_max_body_size ${limits.bodyBytesMax};`,
    `client_header_timeout ${time(timeouts.headMs)};`,
    `keepalive_timeout ${time(timeouts.idleMs)};`,
    `client_body_timeout ${time(timeouts.stallMs)};`,
    `send_timeout ${time(timeouts.stallMs)};`,
    'error_page 413 = @drover-413;',
    ...block('location @drover-413', [
      `default_type ${word(contentType)};`,
      `return 413 ${filledWord(body)};`,
    ]),
  ]
}
