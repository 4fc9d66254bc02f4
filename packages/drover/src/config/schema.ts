import { type Static, Type } from '@drover/kernel'
import { listenerSchema } from './listener-schema.ts'
import { serviceSchema } from './service-schema.ts'
import { address, count, duration, group, oneOf } from './texts.ts'

const admin = Type.Object(
  {
    address: Type.Optional(
      Type.Union([Type.Literal('off'), address('the admin API')], {
        description:
          'Where the admin API listens, or off. Default: port 8081 of loopback or the next free one',
      }),
    ),
    token: Type.Optional(
      Type.String({
        minLength: 16,
        // A header field carries no other character as it is.
        pattern: '^[!-~]*$',
        writeOnly: true,
        description:
          'at least 16 letters, digits and signs of ASCII, no blanks; clients must show it; needed as soon as the address is not loopback',
      }),
    ),
    hosts: Type.Array(Type.String(), {
      default: [],
      description: 'Names beside localhost and the address that browsers may call it by',
    }),
  },
  { ...group, description: 'The admin API' },
)

const door = Type.Object(
  {
    engine: oneOf(['builtin', 'nginx', 'haproxy'], 'What forwards the requests', 'builtin'),
    grace: duration('how long requests may go on when Drover stops', 5_000),
    workers: count(
      'Processes (threads of HAProxy) that serve requests; 0: as the engine likes',
      0,
      64,
      0,
    ),
  },
  { ...group, description: 'The data plane' },
)

const manage = Type.Object(
  {
    service: Type.Optional(Type.String({ description: 'the service that /add and /rm change' })),
    path: Type.String({
      pattern: '^/[^\\s?#]*$',
      default: '/',
      description: 'a path such as / or /lb: what /rep, /add and /rm lie below on the front door',
    }),
  },
  {
    additionalProperties: false,
    description: 'Serves the classroom management API (/rep, /add, /rm) on the front door too',
  },
)

/** The whole of drover.yaml. */
export const configSchema = Type.Object(
  {
    services: Type.Record(Type.String(), serviceSchema, {
      default: {},
      description: 'What runs, by name',
    }),
    listeners: Type.Array(listenerSchema, {
      default: [],
      description: 'Addresses that clients connect to; without any, 127.0.0.1:8080 for one service',
    }),
    admin,
    door,
    manage: Type.Optional(manage),
    trustedProxies: Type.Array(Type.String(), {
      default: [],
      description: 'Networks (CIDR) whose X-Forwarded-* headers are believed',
    }),
    accessLog: Type.Optional(
      Type.String({ description: 'file of JSON lines, one per request; - is standard output' }),
    ),
    traces: Type.Optional(
      Type.Object(
        {
          otlp: Type.String({
            pattern: '^https?://\\S+$',
            description: 'OTLP over HTTP, as http://127.0.0.1:4318/v1/traces',
          }),
          sample: Type.Number({
            minimum: 0,
            maximum: 1,
            default: 1,
            description: 'how many of the traces that begin at the door are sampled',
          }),
          name: Type.String({
            default: 'drover',
            description: "what the spans' service is called",
          }),
        },
        {
          additionalProperties: false,
          description: 'Sends a span of each request (OpenTelemetry)',
        },
      ),
    ),
    data: Type.String({
      default: '.drover',
      description: 'Folder of this instance, relative to this file',
    }),
  },
  { additionalProperties: false, title: 'drover.yaml' },
)

/** A checked configuration with every default filled in; durations and sizes are still text. */
export type Config = Static<typeof configSchema>
