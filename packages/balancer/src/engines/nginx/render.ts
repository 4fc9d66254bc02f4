import type { Plan } from '../../plan.ts'
import { renderHeaders } from './render-headers.ts'
import { renderRoutes } from './render-routes.ts'
import { renderServers } from './render-server.ts'
import { renderAnswerLocations, renderRateZone } from './render-service.ts'
import { renderTcp } from './render-tcp.ts'
import { renderUpstream } from './render-upstream.ts'
import type { NginxSetting } from './setting.ts'
import { block, dollarLines, word } from './words.ts'

/** Returns the configuration of nginx for `plan`. The plan must have been checked. */
export function renderNginx(plan: Plan, setting: NginxSetting): string {
  const { abilities, folder } = setting
  const { stream } = abilities
  const tcp = renderTcp(plan, setting)
  const lines = [
    ...(tcp.length > 0 && typeof stream === 'object'
      ? [`load_module ${word(stream.moduleFile)};`]
      : []),
    'daemon off;',
    `worker_processes ${setting.workers};`,
    `pid ${word(`${folder}/nginx.pid`)};`,
    // Notices tell when workers come and go; see the engine.
    'error_log stderr notice;',
    // Old workers end what they have after a reload, but not for ever.
    'worker_shutdown_timeout 1h;',
    ...block('events', [`worker_connections ${connectionsOf(plan, abilities.filesMax)};`]),
    ...block('http', renderHttp(plan, setting)),
    ...tcp,
  ]
  return `${lines.join('\n')}\n`
}

/** Each client connection may need one to a replica; more than open files there can be none. */
function connectionsOf(plan: Plan, filesMax: number): number {
  const clients = plan.listeners.reduce((sum, { limits }) => sum + limits.connectionsMax, 0)
  return Math.max(256, Math.min(filesMax - 64, 2 * clients + 512))
}

function renderHttp(plan: Plan, setting: NginxSetting): string[] {
  const { folder } = setting
  const http = plan.listeners.filter(({ protocol }) => protocol === 'http')
  const routed = new Set(
    http.flatMap(({ routes }) =>
      routes.map(({ action }) => (action.kind === 'service' ? action.service : '')),
    ),
  )
  const services = plan.services.filter(({ name }) => routed.has(name))
  return [
    ...dollarLines,
    ...commonLines(folder),
    ...renderHeaders(plan.trustedProxies),
    ...logLines(plan, folder),
    ...statusServer(setting),
    ...services.flatMap((service) => [
      ...renderRateZone(service),
      ...renderUpstream(service, false),
    ]),
    ...http.flatMap((listener, index) => {
      const { maps, locations } = renderRoutes(listener, index, services)
      const answers = services.flatMap(renderAnswerLocations)
      const lines = [...locations, ...answers]
      return [...maps, ...renderServers(listener, lines, setting)]
    }),
  ]
}

function commonLines(folder: string): string[] {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${word(`${folder}/temp-${kind}`)};`,
  )
  return [
    ...temporary,
    'default_type application/octet-stream;',
    'server_tokens off;',
    'absolute_redirect off;',
    'keepalive_requests 1000000;',
    'limit_req_status 429;',
    'limit_req_log_level info;',
    // `try_files` asks for a file that is never there; the answer is remembered.
    `root ${word(`${folder}/nothing`)};`,
    'open_file_cache max=8 inactive=1h;',
    'open_file_cache_valid 1h;',
    'open_file_cache_errors on;',
    'map_hash_bucket_size 128;',
    'variables_hash_bucket_size 128;',
    'server_names_hash_bucket_size 128;',
    'proxy_headers_hash_bucket_size 128;',
    // Bodies are passed on as they come, both ways.
    'proxy_buffering off;',
    'proxy_request_buffering off;',
    'proxy_http_version 1.1;',
    'proxy_buffer_size 16k;',
    'proxy_buffers 4 16k;',
    'proxy_busy_buffers_size 16k;',
    'proxy_socket_keepalive on;',
    'tcp_nodelay on;',
  ]
}

/** The engine's own log, of which it counts (see counters.ts), and the one that people asked for. */
function logLines({ accessLogFile }: Plan, folder: string): string[] {
  const lines = [
    'log_format drover_count "h\\t$drover_service\\t$upstream_addr\\t$upstream_header_time\\t' +
      '$upstream_connect_time\\t$status\\t$request_time\\t$request_length\\t$bytes_sent\\t' +
      '$limit_req_status";',
    `access_log ${word(`${folder}/count.log`)} drover_count buffer=32k flush=300ms;`,
  ]
  if (accessLogFile === undefined) return lines
  const file = accessLogFile === '-' ? '/dev/stdout' : accessLogFile
  return [
    ...lines,
    `log_format drover_access escape=json '{"time":"$time_iso8601","method":"$request_method",` +
      '"host":"$http_host","target":"$request_uri","client":"$remote_addr",' +
      '"service":"$drover_service","replica":"$upstream_addr","status":$status,' +
      '"durationMs":$request_time,"bytesIn":$request_length,"bytesOut":$bytes_sent,' +
      `"requestId":"$drover_request_id","traceparent":"$drover_trace"}';`,
    `access_log ${word(file)} drover_access;`,
  ]
}

/** Where the engine asks which configuration answers, and how many connections there are. */
function statusServer({ folder, generation }: NginxSetting): string[] {
  return block('server', [
    `listen ${word(`unix:${folder}/status.sock`)};`,
    'access_log off;',
    'set $drover_service "";',
    ...block('location = /status', ['stub_status;']),
    ...block('location = /generation', [`return 200 "${generation}";`]),
  ])
}
