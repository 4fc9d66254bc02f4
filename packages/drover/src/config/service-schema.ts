import { defaultHealth, defaultService, policyNames } from '@drover/balancer'
import { type Static, Type } from '@drover/kernel'
import { autoscaleDefaults, groupDefaults, replicasMax } from '@drover/supervisor'
import { address, count, duration, group, oneOf, size } from './texts.ts'

const { check, ejection, slowStart, panicShare } = defaultHealth
const door = defaultService('')
const { backoff } = groupDefaults

const runs = {
  command: Type.Optional(
    Type.Union([Type.String({ minLength: 1 }), Type.Array(Type.String(), { minItems: 1 })], {
      description:
        'What each replica runs: one line (quotes group words, no shell) or a list of words. {port}, {id} and {name} are filled in; PORT, HOST, SERVER_ID and DROVER_REPLICA are set',
    }),
  ),
  docker: Type.Optional(
    Type.Object(
      {
        image: Type.String({ minLength: 1, description: 'the image of each replica' }),
        port: count('The port inside the container', 1, 65_535, 8080),
        command: Type.Array(Type.String(), {
          default: [],
          description: "Replaces the image's command; empty keeps it",
        }),
        socket: Type.Optional(Type.String({ description: 'path of the Docker socket' })),
      },
      {
        additionalProperties: false,
        description: 'Runs each replica as a container instead of a process',
      },
    ),
  ),
  addresses: Type.Optional(
    Type.Array(address('a replica that something else runs'), {
      minItems: 1,
      maxItems: 1000,
      description: 'Fixed replicas that Drover only sends requests to',
    }),
  ),
  cwd: Type.Optional(
    Type.String({ description: 'folder to run in, relative to this file (the default)' }),
  ),
  env: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]), {
    default: {},
    description: 'Added to the environment of each replica',
  }),
  part: Type.Optional(
    Type.Union(
      [Type.Literal('queue'), Type.Literal('herd'), Type.Literal('jobs'), Type.Literal('chunks')],
      {
        description:
          'The part of Drover that its replicas are: their HTTP API is then reached by /parts/SERVICE/ of the admin API, and shown on the page',
      },
    ),
  ),
  replicas: count('How many replicas run', 0, replicasMax, groupDefaults.replicas),
  namePrefix: Type.String({
    default: groupDefaults.namePrefix,
    pattern: '^[A-Za-z0-9 _.-]{0,32}$',
    description:
      'Replicas are called this and a number; SERVER_ID is the name without the trimmed prefix',
  }),
}

const life = {
  restart: oneOf(
    ['start-first', 'stop-first'],
    'Whether a rolling restart starts the new replica before the old one stops; stop-first for what only one can have, as a port or a folder',
    groupDefaults.restartOrder,
  ),
  start: Type.Object(
    {
      timeout: duration(
        'a replica that is not ready after this is replaced',
        groupDefaults.startTimeoutMs,
      ),
      backoff: duration('the most that the second replacement in a row waits', backoff.firstMs),
      backoffMax: duration('the most that any later replacement waits', backoff.mostMs),
      stableAfter: duration(
        'a replica that lived this long has proved itself',
        groupDefaults.stableAfterMs,
      ),
    },
    { ...group, description: 'Starting replicas and putting new ones in the place of dead ones' },
  ),
  stop: Type.Object(
    {
      signal: oneOf(
        ['SIGTERM', 'SIGINT', 'SIGQUIT'],
        'How a replica is told to stop',
        groupDefaults.stopSignal,
      ),
      drain: duration(
        'how long a replica may finish its requests before the signal',
        groupDefaults.drainTimeoutMs,
      ),
      timeout: duration('from the signal to SIGKILL', groupDefaults.stopTimeoutMs),
    },
    { ...group, description: 'Stopping replicas' },
  ),
  logSize: size('output kept in memory for each replica', groupDefaults.logBytesMax),
  autoscale: Type.Optional(
    Type.Object(
      {
        min: count('Never fewer replicas', 1, replicasMax, autoscaleDefaults.least),
        max: count('Never more replicas', 1, replicasMax, autoscaleDefaults.most),
        inFlight: Type.Number({
          exclusiveMinimum: 0,
          default: autoscaleDefaults.inFlightTarget,
          description:
            'Requests under way per replica to size for: replicas = in flight / this, rounded up',
        }),
        growCooldown: duration(
          'after growing, nothing changes for this long',
          autoscaleDefaults.growCooldownMs,
        ),
        shrinkCooldown: duration(
          'after shrinking, nothing changes for this long',
          autoscaleDefaults.shrinkCooldownMs,
        ),
      },
      { additionalProperties: false, description: 'Sizes the service by its load' },
    ),
  ),
}

const spread = {
  policy: oneOf(policyNames, 'How requests are spread over replicas', door.policy.name),
  key: Type.Optional(
    Type.String({
      pattern: '^(request-id|client|path|(query|header|cookie):[^\\s:]+)$',
      description:
        'what hashed policies hash: request-id, client, path, query:NAME, header:NAME or cookie:NAME; absent: request-id for slot-ring, else client',
    }),
  ),
  policyOptions: Type.Record(Type.String(), Type.Union([Type.Number(), Type.String()]), {
    default: {},
    description: 'Numbers and words that the policy knows, such as slots or virtualNodes',
  }),
  weights: Type.Record(Type.String(), Type.Number({ exclusiveMinimum: 0, maximum: 1000 }), {
    default: {},
    description: 'Share of a replica by its name (or fixed address) beside the others; 1 if absent',
  }),
  sticky: Type.Optional(
    Type.Union(
      [
        Type.Boolean(),
        Type.Object(
          {
            cookie: Type.String({
              pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$",
              default: 'drover',
              description: 'the name of the cookie',
            }),
            secret: Type.Optional(
              Type.String({
                minLength: 16,
                description: 'signs it; drawn anew and kept if absent',
              }),
            ),
          },
          { additionalProperties: false },
        ),
      ],
      { description: 'A client stays with its replica by a signed cookie' },
    ),
  ),
}

const care = {
  health: Type.Object(
    {
      check: Type.Optional(
        oneOf(['http', 'tcp'], 'Asks for a path, or only connects; absent: by what clients speak'),
      ),
      path: Type.String({
        pattern: '^/[^\\s#]*$',
        default: check.path,
        description: 'a path that is asked by GET',
      }),
      status: Type.Optional(
        Type.String({
          pattern: '^\\d{3}(-\\d{3})?( *, *\\d{3}(-\\d{3})?)*$',
          description: 'healthy answers, as 204 or 200-299,401; absent: 200-399, on / 200-499',
        }),
      ),
      host: Type.Optional(Type.String({ minLength: 1, description: 'the Host header' })),
      interval: duration('between two checks', check.intervalMs),
      timeout: duration('the longest that a check may take', check.timeoutMs),
      rise: count('Passed checks in a row that bring a replica in', 1, 100, check.rise),
      fall: count('Failed checks in a row that take a replica out', 1, 100, check.fall),
      failures: count(
        'Failed requests in a row that eject a replica; 0 never',
        0,
        1000,
        ejection.failuresMax,
      ),
      failureStatus: Type.Optional(
        Type.Integer({
          minimum: 400,
          maximum: 599,
          description: 'Answers from this status on are failed requests, too, as 500; absent: none',
        }),
      ),
      ejection: duration(
        'the first ejection; each further one in a row is as much longer',
        ejection.baseMs,
      ),
      ejectionMax: duration('the longest ejection', ejection.mostMs),
      ejectedShareMax: Type.Number({
        minimum: 0,
        maximum: 1,
        default: ejection.shareMax,
        description: 'No more than this share of the replicas is ejected at one time',
      }),
      startInterval: duration('between the first checks of a new replica', check.startIntervalMs),
      panicShare: Type.Number({
        minimum: 0,
        maximum: 1,
        default: panicShare,
        description: 'Ejected replicas are used all the same while at most this share is available',
      }),
      slowStart: duration(
        'a replica that comes in grows to its full share over this',
        slowStart.windowMs,
      ),
    },
    { ...group, description: 'When a replica gets requests' },
  ),
  retry: Type.Object(
    {
      attempts: count(
        'Attempts in all, each on another replica; 1 never repeats',
        1,
        10,
        door.retry.attemptsMax,
      ),
      budget: Type.Number({
        minimum: 0,
        maximum: 1,
        default: door.retry.budgetShare,
        description: 'Repeats may be at most this share of the requests of the last 10 s',
      }),
      perSecond: Type.Number({
        minimum: 0,
        default: door.retry.budgetPerSecond,
        description: 'As many repeats a second are always allowed',
      }),
    },
    { ...group, description: 'What happens to a request whose replica fails' },
  ),
  queue: Type.Object(
    {
      size: count(
        'Requests that may wait when no replica can take one',
        0,
        1_000_000,
        door.queue.sizeMax,
      ),
      wait: duration('the longest wait; then 503', door.queue.waitMs),
      order: oneOf(['oldest-first', 'newest-first'], 'Who is served next', door.queue.order),
    },
    { ...group, description: 'Requests wait here while all replicas are busy or starting' },
  ),
  inFlightMax: count(
    'Requests under way at one replica at one time; 0 no bound',
    0,
    1_000_000,
    door.inFlightMax,
  ),
  rateLimit: Type.Optional(
    Type.Object(
      {
        perSecond: Type.Number({ exclusiveMinimum: 0, description: 'Requests of one client' }),
        burst: count('As many may come at once', 1, 1_000_000, 20),
      },
      { additionalProperties: false, description: 'Above it a client is answered 429' },
    ),
  ),
  timeouts: Type.Object(
    {
      connect: duration('to reach a replica', door.timeouts.connectMs),
      firstByte: duration(
        "from the request's end to the answer's first byte",
        door.timeouts.firstByteMs,
      ),
      response: duration(
        "from the request's head to the answer's end; 0ms no bound",
        door.timeouts.responseMs,
      ),
      keepAlive: duration(
        'an idle connection to a replica is kept this long',
        door.timeouts.keepAliveMs,
      ),
    },
    { ...group, description: 'How long the door waits for a replica' },
  ),
  answers: Type.Array(
    Type.Object(
      {
        code: Type.Optional(
          Type.String({ description: "one of the door's own faults, or * for all of them" }),
        ),
        onStatus: Type.Optional(
          Type.Integer({ minimum: 100, maximum: 599, description: 'what the replica answered' }),
        ),
        status: Type.Integer({ minimum: 200, maximum: 599 }),
        contentType: Type.String({ default: 'application/json' }),
        body: Type.String({ description: 'may hold {path}, {message} and {code}' }),
      },
      { additionalProperties: false },
    ),
    { default: [], description: "Fixed answers in place of the door's or a replica's" },
  ),
  sendProxyProtocol: Type.Boolean({
    default: false,
    description: "Tells TCP replicas the client's address by PROXY protocol v2",
  }),
}

/** One service: what runs, how many, how requests are spread over it, and how it is cared for. */
export const serviceSchema = Type.Object(
  { ...runs, ...life, ...spread, ...care },
  { ...group, description: 'A set of replicas that answer alike' },
)

export type ServiceConfig = Static<typeof serviceSchema>
