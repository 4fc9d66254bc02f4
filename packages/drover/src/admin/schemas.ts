import { type Static, Type } from '@drover/kernel'
import { faultDelayMsMax } from '../describe-fault.ts'

const nullable = <Schema extends ReturnType<typeof Type.String | typeof Type.Integer>>(
  schema: Schema,
) => Type.Union([schema, Type.Null()])

const replicaView = Type.Object({
  id: Type.String({ description: 'unique for ever' }),
  name: Type.String(),
  address: Type.String({ description: 'host:port; empty before it has one' }),
  state: Type.String({
    description: 'starting, checking, ready, slow-start, suspect, ejected, draining or stopped',
  }),
  reason: Type.String({ description: 'why it is in this state' }),
  sinceMs: Type.Number({ description: 'since when, ms since 1970' }),
  pid: nullable(Type.Integer()),
  container: nullable(Type.String()),
  restarts: Type.Integer({ description: 'deaths in its place before it, since one was stable' }),
  weight: Type.Number(),
  inFlight: Type.Integer(),
  requestsTotal: Type.Integer(),
  failuresTotal: Type.Integer(),
  requestsPerSecond: Type.Number(),
})

export const serviceView = Type.Object({
  name: Type.String(),
  kind: Type.String({ description: 'process, docker or addresses' }),
  policy: Type.String(),
  wanted: Type.Integer({ description: 'replicas that should run, or the fixed addresses' }),
  available: Type.Integer({ description: 'replicas that get requests' }),
  panic: Type.Boolean({ description: 'ejected replicas are used because too few others are left' }),
  trouble: nullable(
    Type.String({ description: 'why fewer run than should: the last news of its crash loop' }),
  ),
  waiting: Type.Integer({ description: 'requests that wait for a replica' }),
  requestsPerSecond: Type.Number(),
  retriesTotal: Type.Integer(),
  replicas: Type.Array(replicaView),
})

const listenerView = Type.Object({
  name: Type.String(),
  url: Type.String(),
  protocol: Type.String(),
  services: Type.Array(Type.String()),
  connectionsOpen: Type.Integer(),
  connectionsTotal: Type.Integer(),
  refusedTotal: Type.Integer({ description: 'requests that broke the rules of HTTP' }),
})

export const statusView = Type.Object({
  version: Type.String(),
  pid: Type.Integer(),
  startedAtMs: Type.Number(),
  file: nullable(Type.String()),
  admin: nullable(Type.String()),
  engine: Type.String(),
  managed: nullable(Type.String()),
  listeners: Type.Array(listenerView),
  services: Type.Array(serviceView),
})

export const partView = Type.Object({
  service: Type.String(),
  part: Type.String({ description: 'queue, herd, jobs or chunks' }),
  base: Type.String({ description: 'its API lies below this path of the admin API' }),
  replicas: Type.Array(Type.Object({ name: Type.String(), ready: Type.Boolean() })),
})

export const targetView = Type.Object({
  targets: Type.Array(Type.String()),
  labels: Type.Record(Type.String(), Type.String()),
})

export const eventView = Type.Object({
  id: Type.Integer(),
  atMs: Type.Number(),
  level: Type.String(),
  kind: Type.String(),
  service: Type.Optional(Type.String()),
  replica: Type.Optional(Type.String()),
  message: Type.String(),
})

export const logLineView = Type.Object({
  atMs: Type.Number(),
  replica: Type.String(),
  stream: Type.String(),
  text: Type.String(),
})

export const refusedView = Type.Object({
  atMs: Type.Number(),
  listener: Type.String(),
  client: Type.String(),
  reason: Type.String(),
  status: Type.Integer(),
  head: Type.String(),
})

export const acceptedView = Type.Object({
  since: Type.Integer({ description: 'the last event before; what follows is after it' }),
})

const closed = { additionalProperties: false }

export const scaleBody = Type.Object(
  { replicas: Type.Integer({ minimum: 0, maximum: 1000 }) },
  closed,
)

export const policyBody = Type.Object(
  {
    name: Type.String(),
    key: Type.Optional(
      Type.String({ pattern: '^(request-id|client|path|(query|header|cookie):[^\\s:]+)$' }),
    ),
    options: Type.Optional(Type.Record(Type.String(), Type.Union([Type.Number(), Type.String()]))),
  },
  closed,
)

export const drainBody = Type.Object(
  { undo: Type.Boolean({ default: false, description: 'takes the draining back' }) },
  closed,
)

export const faultBody = Type.Object(
  {
    delayMs: Type.Integer({
      minimum: 0,
      maximum: faultDelayMsMax,
      default: 0,
      description: 'how much later it answers, in ms',
    }),
    failShare: Type.Number({
      minimum: 0,
      maximum: 1,
      default: 0,
      description: 'the share of its requests that it answers with 500',
    }),
    heartbeat: Type.Boolean({ default: false, description: 'its /heartbeat suffers as well' }),
  },
  { ...closed, description: 'nothing of it ends the fault' },
)

export const weightBody = Type.Object(
  { weight: Type.Number({ exclusiveMinimum: 0, maximum: 1000 }) },
  closed,
)

export const experimentView = Type.Object({
  name: Type.String({ description: 'as on the command line: drover experiment NAME' }),
  title: Type.String(),
  says: Type.String({ description: 'what it does, in one line' }),
  minutes: Type.Number({ description: 'about how long it takes' }),
  state: Type.String({
    description:
      'idle (not run since this instance started), running, stopping, done, failed or cancelled',
  }),
  message: Type.String({ description: 'what it does now, or how it ended' }),
  step: Type.Integer({ description: 'the step that it is at, from 1; 0 before the first' }),
  steps: Type.Integer(),
  startedAtMs: Type.Union([Type.Number(), Type.Null()]),
  endedAtMs: Type.Union([Type.Number(), Type.Null()]),
  report: Type.Union([
    Type.Object({ url: Type.String(), madeAtMs: Type.Number() }, { description: 'the last one' }),
    Type.Null(),
  ]),
})

/** Nothing at all will do. */
export const runBody = Type.Union([
  Type.Object(
    { quick: Type.Optional(Type.Boolean({ description: 'less of everything; false by default' })) },
    closed,
  ),
  Type.Null(),
])

export const experimentParams = Type.Object({ name: Type.String() })
export const serviceParams = Type.Object({ service: Type.String() })
export const replicaParams = Type.Object({ service: Type.String(), replica: Type.String() })

export const logsQuery = Type.Object({
  replica: Type.Optional(Type.String()),
  follow: Type.Boolean({ default: false }),
  lines: Type.Integer({ minimum: 0, maximum: 100_000, default: 200 }),
})

export const eventsQuery = Type.Object({
  since: Type.Integer({ minimum: 0, default: 0, description: 'only events after this id' }),
  follow: Type.Boolean({ default: true, description: 'false: the kept ones as a JSON list' }),
})

export type FaultBody = Static<typeof faultBody>
export type ReplicaView = Static<typeof replicaView>
export type ServiceView = Static<typeof serviceView>
export type StatusView = Static<typeof statusView>
export type EventView = Static<typeof eventView>
export type ExperimentView = Static<typeof experimentView>
export type LogLineView = Static<typeof logLineView>
