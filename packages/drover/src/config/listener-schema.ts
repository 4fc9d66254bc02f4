import { defaultListener } from '@drover/balancer'
import { type Static, Type } from '@drover/kernel'
import { address, count, duration, group, oneOf, size } from './texts.ts'

const { limits, timeouts } = defaultListener('')

const route = Type.Object(
  {
    name: Type.Optional(Type.String({ minLength: 1, description: 'for logs and metrics' })),
    host: Type.Optional(
      Type.String({ minLength: 1, description: 'a name, or *.example.org for all below it' }),
    ),
    path: Type.Optional(
      Type.String({ pattern: '^/', description: 'a path and everything below it, as /api' }),
    ),
    exact: Type.Optional(Type.String({ pattern: '^/', description: 'exactly this path' })),
    methods: Type.Optional(Type.Array(Type.String({ pattern: '^[A-Z]+$' }), { minItems: 1 })),
    headers: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: 'headers that must have these values; * is any value',
      }),
    ),
    service: Type.Optional(Type.String({ description: 'who answers' })),
    strip: Type.Optional(
      Type.String({ pattern: '^/', description: 'cut from the front of the path on the way' }),
    ),
    redirect: Type.Optional(
      Type.String({ minLength: 1, description: 'may hold {host}, {path} and {query}' }),
    ),
    answer: Type.Optional(Type.String({ description: 'a fixed body' })),
    status: Type.Optional(
      Type.Integer({
        minimum: 200,
        maximum: 599,
        description: 'of the redirect (302) or the fixed answer (200)',
      }),
    ),
    contentType: Type.Optional(Type.String({ description: 'of the fixed answer (text/plain)' })),
  },
  {
    additionalProperties: false,
    default: {},
    description: 'Everything named must fit; then exactly one of service, redirect and answer',
  },
)

const tls = Type.Object(
  {
    certificates: Type.Array(
      Type.Object(
        {
          names: Type.Array(Type.String(), {
            default: [],
            description: 'server names it is for; empty: those in the certificate',
          }),
          certificate: Type.String({ description: 'PEM file, the chain included' }),
          key: Type.String({ description: 'PEM file' }),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, description: 'The first is for clients that name no server or another one' },
    ),
    http2: Type.Boolean({ default: true, description: 'Offers HTTP/2 beside HTTP/1.1' }),
  },
  { additionalProperties: false },
)

/** One address that clients connect to, and what becomes of their requests. */
export const listenerSchema = Type.Object(
  {
    name: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9._-]{1,64}$',
        description: 'letters, digits, dots and hyphens; the default is made of the address',
      }),
    ),
    address: address('where clients connect; port 0 takes a free one'),
    protocol: oneOf(['http', 'tcp'], 'What clients speak', 'http'),
    service: Type.Optional(Type.String({ description: 'who answers what no route takes' })),
    routes: Type.Array(route, { default: [], description: 'Tried in order' }),
    tls: Type.Optional(tls),
    acceptProxyProtocol: Type.Boolean({
      default: false,
      description: 'Clients (a proxy in front) begin with PROXY protocol',
    }),
    limits: Type.Object(
      {
        connections: count(
          'Open connections; one more is closed at once',
          1,
          1_000_000,
          limits.connectionsMax,
        ),
        head: size('request line and headers, at most 16KiB', limits.headBytesMax),
        headers: count('Header lines', 1, 100, limits.headersMax),
        body: size('a request body; 0 no bound', limits.bodyBytesMax),
      },
      { ...group, description: 'What one client may ask of the door' },
    ),
    timeouts: Type.Object(
      {
        head: duration('from the first byte of a head to its end', timeouts.headMs),
        idle: duration('a connection without a request', timeouts.idleMs),
        stall: duration('without a byte of progress', timeouts.stallMs),
      },
      { ...group, description: 'How long the door waits for a client' },
    ),
  },
  { additionalProperties: false, default: {}, description: 'One address that clients connect to' },
)

export type ListenerConfig = Static<typeof listenerSchema>
export type RouteConfig = Static<typeof route>
