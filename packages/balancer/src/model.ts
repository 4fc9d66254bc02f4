import type { ListenerPlan, ServicePlan, TracesPlan } from './plan.ts'

/**
 * What the front door is configured with: the plan as people write it, without the replicas that
 * come and go, with files in place of what is in them, and with how health is judged. Plain JSON.
 */
export interface Model {
  readonly listeners: readonly ListenerModel[]
  readonly services: readonly ServiceModel[]
  /** Networks (CIDR) whose X-Forwarded-* and Forwarded headers are believed and extended. */
  readonly trustedProxies: readonly string[]
  /** Where the access log goes; absent: no access log. `-` is standard output. */
  readonly accessLogFile?: string
  readonly traces?: TracesPlan
}

/** One address that clients connect to; TLS by the names of files. */
export interface ListenerModel extends Omit<ListenerPlan, 'tls'> {
  readonly tls?: TlsModel
}

/** Certificates in files, which are watched and taken up again when they change. */
export interface TlsModel {
  /** The first is the default; the others are chosen by server name (SNI). */
  readonly certificates: readonly CertificateModel[]
  readonly http2: boolean
}

export interface CertificateModel {
  /** Exact names, or `*.example.org`. Absent: those that the certificate itself lists. */
  readonly names?: readonly string[]
  /** PEM, the certificate first, then the chain. */
  readonly certificateFile: string
  /** PEM, without a passphrase. */
  readonly keyFile: string
}

/** A set of replicas that answer alike, and how requests are spread over them. */
export interface ServiceModel extends Omit<ServicePlan, 'replicas' | 'expected'> {
  readonly health: HealthModel
  /** Replicas at fixed addresses, started by somebody else. Others join by `addReplica`. */
  readonly addresses: readonly AddressModel[]
  /** How many others are coming when the service begins; then `expectReplicas` says it. Default 0. */
  readonly expectedReplicas?: number
}

/** A replica that somebody else runs. */
export interface AddressModel {
  /** For people, and unique in the service. Default `host:port`. */
  readonly name?: string
  /** An IP address, or a name: each address it resolves to is a replica, asked again now and then. */
  readonly host: string
  readonly port: number
  /** Share relative to the others. Above 0. */
  readonly weight: number
}

/** How it is judged whether a replica may get requests. Every knob is explained in options.ts. */
export interface HealthModel {
  readonly check: CheckModel
  readonly ejection: EjectionModel
  readonly slowStart: SlowStartModel
  /** Ejected replicas are used all the same while at most this share (0..1) is available. */
  readonly panicShare: number
}

/** The active check: a request or a connection, straight to the replica. */
export interface CheckModel {
  readonly kind: 'http' | 'tcp'
  /** HTTP only: the path that is asked for. */
  readonly path: string
  /** HTTP only: the answers that pass, as `200-399` or `204`. */
  readonly statuses: readonly string[]
  /** HTTP only: the Host header. Absent: the replica's own address. */
  readonly host?: string
  readonly intervalMs: number
  readonly startIntervalMs: number
  readonly timeoutMs: number
  /** Checks passed in a row that bring a replica in. */
  readonly rise: number
  /** Checks failed in a row that take a replica out. */
  readonly fall: number
}

/** Passive ejection: what is learnt from the requests themselves. */
export interface EjectionModel {
  /** Requests failed in a row that take a replica out. 0: never. */
  readonly failuresMax: number
  readonly baseMs: number
  readonly mostMs: number
  /** At most this share (0..1) of a service's replicas is out for failed requests; one always may. */
  readonly shareMax: number
}

/** A replica that comes in gets a share that grows. */
export interface SlowStartModel {
  /** From the first requests to the full share. 0: the full share at once. */
  readonly windowMs: number
  /** The share (0..1) that it begins with. */
  readonly leastShare: number
}
