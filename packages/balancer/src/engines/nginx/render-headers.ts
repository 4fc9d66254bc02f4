import { block } from './words.ts'

/**
 * Returns what replicas are told of the client: what a trusted proxy said is extended, the rest is
 * replaced. Ids of requests and traces are made where there are none.
 */
export function renderHeaders(trustedProxies: readonly string[]): string[] {
  return [
    ...block('map $proxy_protocol_addr $drover_peer', [
      'default $proxy_protocol_addr;',
      '"" $realip_remote_addr;',
    ]),
    ...block('geo $drover_peer $drover_trusted', [
      'default 0;',
      ...trustedProxies.map((network) => `${network} 1;`),
    ]),
    ...trustedProxies.map((network) => `set_real_ip_from ${network};`),
    'real_ip_header X-Forwarded-For;',
    'real_ip_recursive on;',
    ...toldMap('for', '$http_x_forwarded_for, $drover_peer', '$drover_peer'),
    ...toldMap('proto', '$http_x_forwarded_proto', '$scheme'),
    ...toldMap('host', '$http_x_forwarded_host', '$http_host'),
    ...block('map $drover_peer $drover_node', [
      'default $drover_peer;',
      '"~:" "\\"[$drover_peer]\\"";',
    ]),
    ...block('map "$drover_trusted:$http_forwarded" $drover_forwarded', [
      'default "";',
      '"~^1:." "$http_forwarded, ";',
    ]),
    ...block('map $http_x_request_id $drover_request_id', [
      'default $http_x_request_id;',
      '"" $request_id;',
    ]),
    ...block('map $request_id $drover_span', [
      'default "";',
      '"~^(?<drover_half>.{16})" $drover_half;',
    ]),
    ...block('map $http_traceparent $drover_trace', [
      'default $http_traceparent;',
      '"" "00-$request_id-$drover_span-00";',
    ]),
    ...block('map $http_upgrade $drover_upgrade', ['default u;', '"" "";']),
    ...block('map $http_upgrade $drover_connection', ['default upgrade;', '"" "";']),
    ...block('map $request_uri $drover_path', [
      'default $uri;',
      '"~^(?<drover_bare>/[^?]*)" $drover_bare;',
    ]),
    'proxy_set_header Host $http_host;',
    'proxy_set_header Connection $drover_connection;',
    'proxy_set_header Upgrade $http_upgrade;',
    'proxy_set_header X-Forwarded-For $drover_told_for;',
    'proxy_set_header X-Forwarded-Proto $drover_told_proto;',
    'proxy_set_header X-Forwarded-Host $drover_told_host;',
    `proxy_set_header Forwarded "$\{drover_forwarded}for=$drover_node;host=\\"$http_host\\";proto=$scheme";`,
    'proxy_set_header X-Request-Id $drover_request_id;',
    'proxy_set_header Traceparent $drover_trace;',
  ]
}

function toldMap(name: string, told: string, own: string): string[] {
  return block(`map "$drover_trusted:$http_x_forwarded_${name}" $drover_told_${name}`, [
    `default ${own};`,
    `"~^1:." "${told}";`,
  ])
}
