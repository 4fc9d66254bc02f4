/**
 * The plan: everything a data plane (an engine) is told, and nothing that it decides. Plain JSON,
 * so that it travels to worker processes as it is. A new plan replaces the old one whole, without a
 * dropped connection; what changed is found by comparing names and ids.
 */
export interface Plan {
  readonly listeners: readonly ListenerPlan[]
  readonly services: readonly ServicePlan[]
  /** Networks (CIDR) whose X-Forwarded-* and Forwarded headers are believed and extended. */
  readonly trustedProxies: readonly string[]
  /** Where the access log goes; absent: no access log. `-` is standard output. */
  readonly accessLogFile?: string
  /** Absent: no spans are sent. The builtin engine only. */
  readonly traces?: TracesPlan
}

/** Where spans of requests go. */
export interface TracesPlan {
  /** Of an OpenTelemetry collector: OTLP over HTTP, as `http://127.0.0.1:4318/v1/traces`. */
  readonly url: string
  /** How many of the traces that begin at the door are sampled, 0 to 1. */
  readonly sampleShare: number
  /** What the spans' service is called. */
  readonly name: string
}

/** One address that clients connect to. */
export interface ListenerPlan {
  readonly name: string
  readonly host: string
  /** 0 asks the system for a free one; the engine tells which. */
  readonly port: number
  readonly protocol: 'http' | 'tcp'
  readonly tls?: TlsPlan
  /** Tried in order; the first that fits serves the request. HTTP only. */
  readonly routes: readonly RoutePlan[]
  /** The service of a TCP listener. */
  readonly service?: string
  /** Clients speak PROXY protocol v2 (or v1) before anything else. */
  readonly acceptProxyProtocol: boolean
  readonly limits: ListenerLimits
  readonly timeouts: ListenerTimeouts
}

export interface TlsPlan {
  /** The first certificate is the default; the others are chosen by server name (SNI). */
  readonly certificates: readonly {
    /** Exact names, or `*.example.org`. */
    readonly names: readonly string[]
    /** PEM text: the control plane reads the files, and reads them again when they change. */
    readonly certificate: string
    readonly key: string
  }[]
  readonly http2: boolean
}

export interface ListenerLimits {
  /** Open client connections; one more is closed at once. */
  readonly connectionsMax: number
  /** Bytes of the request line and headers together; over it 431. At most 16 KiB. */
  readonly headBytesMax: number
  /** Header lines; over it 431. At most 100. */
  readonly headersMax: number
  /** Bytes of a request body; over it 413. 0 is without a bound. */
  readonly bodyBytesMax: number
}

export interface ListenerTimeouts {
  /** From the first byte of a head (or the connection's start) to its end. Then 408 and close. */
  readonly headMs: number
  /** A keep-alive connection without a request. */
  readonly idleMs: number
  /** Without a byte of progress while a body is sent or read, in either direction. */
  readonly stallMs: number
}

/** What sends a request to a service, a redirect or a fixed answer. */
export interface RoutePlan {
  readonly name: string
  readonly match: RouteMatch
  readonly action: RouteAction
}

/** Everything that is present must fit. */
export interface RouteMatch {
  /** Exact name without port, or `*.example.org`; letter case does not matter. */
  readonly hosts?: readonly string[]
  /** The path is this, or goes on after it with `/`. `/` fits every path. */
  readonly pathPrefix?: string
  /** The path is exactly this. */
  readonly path?: string
  readonly methods?: readonly string[]
  /** Header name (lower case) and the value it must have; `*` is any value. */
  readonly headers?: Readonly<Record<string, string>>
}

export type RouteAction =
  | { readonly kind: 'service'; readonly service: string; readonly stripPrefix?: string }
  | {
      readonly kind: 'redirect'
      readonly status: 301 | 302 | 303 | 307 | 308
      /** May hold `{host}`, `{path}` and `{query}`. */
      readonly location: string
    }
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly contentType: string
      readonly body: string
    }

/** A set of replicas that answer alike, and how requests are spread over them. */
export interface ServicePlan {
  readonly name: string
  readonly policy: PolicyPlan
  /** Those that may be sent requests now or that are draining. */
  readonly replicas: readonly ReplicaPlan[]
  /**
   * Replicas expected to become ready: while some are, requests wait instead of failing at once.
   */
  readonly expected: number
  readonly sticky?: StickyPlan
  readonly retry: RetryPlan
  readonly queue: QueuePlan
  /** Requests under way at one replica; a replica that has as many is passed over. 0: no bound. */
  readonly inFlightMax: number
  readonly rateLimit?: RateLimitPlan
  /** A replica's answers from this status on count as failed requests of it; absent: none do. */
  readonly failureStatus?: number
  readonly timeouts: ServiceTimeouts
  /** Fixed answers in place of the door's own errors or of a replica's answer. */
  readonly answers: readonly AnswerPlan[]
  /** Tell TCP replicas the client's address by PROXY protocol v2. */
  readonly sendProxyProtocol: boolean
}

export interface ReplicaPlan {
  readonly id: string
  /** For people: `Server 1`. */
  readonly name: string
  readonly host: string
  readonly port: number
  /** Share relative to the others, slow start already counted in. Above 0. */
  readonly weight: number
  /** A draining replica ends what it has and keeps sticky sessions nobody; it gets nothing new. */
  readonly draining: boolean
}

export const policyNames = [
  'round-robin',
  'weighted',
  'random',
  'least-connections',
  'two-choices',
  'peak-ewma',
  'slot-ring',
  'ring',
  'maglev',
  'rendezvous',
] as const

export type PolicyName = (typeof policyNames)[number]

export interface PolicyPlan {
  readonly name: PolicyName
  /** Where hashed policies take the key from. Ignored by the others. */
  readonly key: KeySource
  /** Numbers and words that the policy knows (slots, virtualNodes, epsilon, ...). */
  readonly options: Readonly<Record<string, number | string>>
}

export type KeySource =
  /** A random 6-digit number for each request. */
  | { readonly from: 'request-id' }
  | { readonly from: 'client' }
  | { readonly from: 'path' }
  | { readonly from: 'query' | 'header' | 'cookie'; readonly name: string }

export interface StickyPlan {
  readonly cookie: string
  /** Signs the cookie, so that a client cannot choose a replica. */
  readonly secret: string
}

export interface RetryPlan {
  /** Attempts in all, the first included. 1: never repeated. */
  readonly attemptsMax: number
  /** Retries may be at most this share (0..1) of the requests of the last 10 s ... */
  readonly budgetShare: number
  /** ... and always this many a second, so that a quiet service may retry at all. */
  readonly budgetPerSecond: number
}

export interface QueuePlan {
  /** Requests that may wait when no replica can take one. 0: none waits. */
  readonly sizeMax: number
  /** The longest wait; then 503 with Retry-After. */
  readonly waitMs: number
  readonly order: 'oldest-first' | 'newest-first'
}

export interface RateLimitPlan {
  /** Requests a second from one client address (token bucket). Over it 429 with Retry-After. */
  readonly perSecond: number
  readonly burst: number
}

export interface ServiceTimeouts {
  readonly connectMs: number
  /** From the whole request sent to the first byte of the answer. */
  readonly firstByteMs: number
  /** From the request's head to the answer's end. 0: no bound (streams, WebSockets). */
  readonly responseMs: number
  /** How long an idle connection to a replica is kept; lowered when the replica says less. */
  readonly keepAliveMs: number
}

/** Replaces an answer: the door's own (by `code`) or a replica's (by `status`). */
export interface AnswerPlan {
  /** A code of the table in errors.ts, or `*` for each of the door's own errors of the service. */
  readonly code?: string
  /** A status that the replica answered with. */
  readonly status?: number
  readonly with: {
    readonly status: number
    readonly contentType: string
    /**
     * May hold `{path}`, `{message}` and `{code}`, escaped for JSON strings if the type is JSON.
     */
    readonly body: string
  }
}

/** Told by an engine as it happens; the control plane learns from it. */
export type EngineEvent =
  | { readonly kind: 'answered'; readonly replica: string }
  /** The replica refused, broke or kept silent; what the door itself refuses is never told. */
  | {
      readonly kind: 'failed'
      readonly replica: string
      readonly reason: string
      /** The connection was not even made: nobody listens, so the replica is most likely dead. */
      readonly refused?: boolean
    }
  /** A draining replica has nothing under way any more. */
  | { readonly kind: 'drained'; readonly replica: string }
  /** The engine's own processes or configuration failed. */
  | { readonly kind: 'trouble'; readonly reason: string }

/** What an engine counted since it started. Gauges are of this moment. */
export interface EngineStats {
  readonly listeners: readonly ListenerStats[]
  readonly services: readonly ServiceStats[]
}

export interface ListenerStats {
  readonly name: string
  readonly connectionsOpen: number
  readonly connectionsTotal: number
  readonly connectionsRefusedTotal: number
  /** Requests that broke the rules of parsing, by reason. */
  readonly refusedTotal: Readonly<Record<string, number>>
}

export interface ServiceStats {
  readonly name: string
  readonly waiting: number
  readonly waitedTotal: number
  readonly waitExpiredTotal: number
  readonly rateLimitedTotal: number
  readonly retriesTotal: number
  readonly retriesDeniedTotal: number
  readonly replicas: readonly ReplicaStats[]
}

export interface ReplicaStats {
  readonly id: string
  readonly inFlight: number
  readonly requestsTotal: number
  readonly failuresTotal: number
  /** Answers by their first digit: index 1 to 5; 0 counts requests without an answer. */
  readonly statusTotal: readonly number[]
  readonly bytesInTotal: number
  readonly bytesOutTotal: number
  /** Upper bounds in seconds are `latencyBoundsSeconds`; the last count is everything above. */
  readonly latencyCounts: readonly number[]
  readonly latencySumSeconds: number
}

/** Upper bounds of the latency histogram, in seconds. */
export const latencyBoundsSeconds = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
] as const

/** A request that broke the rules, kept for people who ask why. */
export interface RefusedRequest {
  readonly atMs: number
  readonly listener: string
  readonly client: string
  /** The rule in words, as `content-length twice`. */
  readonly reason: string
  readonly status: number
  /** The first 512 bytes of the request, latin1. */
  readonly head: string
}

/** A data plane: our own, or a server that Drover drives. */
export interface Engine {
  readonly name: 'builtin' | 'nginx' | 'haproxy'
  /** Opens the listeners of `plan`. */
  start(plan: Plan): Promise<void>
  /** Moves to `plan` without dropping a connection. Throws PLAN_REFUSED and keeps the old one. */
  apply(plan: Plan): Promise<void>
  /** The port that each listener really has. */
  ports(): Readonly<Record<string, number>>
  /** Calls `listener` for each event until the returned function is called. */
  on(listener: (event: EngineEvent) => void): () => void
  stats(): Promise<EngineStats>
  /** The last refused requests, newest first; empty where the engine cannot tell. */
  refused(): Promise<readonly RefusedRequest[]>
  /** Closes listeners, lets what is under way end within `graceMs`, then closes everything. */
  stop(graceMs: number): Promise<void>
}
