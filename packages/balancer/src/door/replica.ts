import { latencyBoundsSeconds, type ReplicaPlan, type ReplicaStats } from '../plan.ts'
import type { Candidate } from '../policy.ts'
import type { Deadlines } from './deadlines.ts'
import { UpstreamConnection, type UpstreamOwner, type UpstreamUser } from './upstream-connection.ts'

/** More idle connections to one replica are not kept. */
const idleMax = 512
/** A replica's own idle limit is undercut by this share, so that it never closes under our hands. */
const keepAliveShare = 0.75
/**
 * A request that must not be repeated takes a pooled connection only when it was used this lately:
 * a replica that closes idle connections without saying when could just be closing an older one.
 */
const freshMs = 500

/** One replica as the data plane uses it: its connections, what is under way, and what it counts. */
export class Replica implements Candidate, UpstreamOwner {
  readonly id: string
  readonly name: string
  readonly host: string
  readonly port: number
  weight = 1
  draining = false
  inFlight = 0
  inFlightMax = Number.POSITIVE_INFINITY
  latencyMs = 0
  latencyAtMs = 0
  credit = 0
  keepAliveMs = 60_000
  /** It failed since its last answer: the next answer is news to the control plane. */
  failing = false
  /** It is in no plan any more: connections are not kept. */
  gone = false
  readonly #deadlines: Deadlines
  /** Idle connections, the one used last at the end. */
  readonly #idle: UpstreamConnection[] = []
  readonly #open = new Set<UpstreamConnection>()
  #requests = 0
  #failures = 0
  #bytesIn = 0
  #bytesOut = 0
  #latencySumMs = 0
  readonly #statuses = new Float64Array(6)
  readonly #latencies = new Float64Array(latencyBoundsSeconds.length + 1)

  constructor(plan: ReplicaPlan, deadlines: Deadlines) {
    this.id = plan.id
    this.name = plan.name
    this.host = plan.host
    this.port = plan.port
    this.#deadlines = deadlines
  }

  /** Takes an idle connection for `user`, the one used last; undefined when none fits. */
  take(user: UpstreamUser, mayRepeat: boolean): UpstreamConnection | undefined {
    const connection = this.#idle.at(-1)
    if (!connection) return undefined
    if (!mayRepeat && this.#deadlines.nowMs - connection.idleSinceMs > freshMs) return undefined
    this.#idle.pop()
    connection.use(user)
    return connection
  }

  /** Opens a connection for `user`, who is told when it is there. */
  open(user: UpstreamUser): UpstreamConnection {
    const connection = new UpstreamConnection(this, this.#deadlines, user)
    this.#open.add(connection)
    return connection
  }

  release(connection: UpstreamConnection): void {
    const toldMs = connection.head.keepAliveSeconds * 1_000 * keepAliveShare
    const keptMs = toldMs >= 0 ? Math.min(this.keepAliveMs, toldMs) : this.keepAliveMs
    if (this.gone || keptMs === 0 || this.#idle.length >= idleMax) {
      connection.destroy()
      return
    }
    connection.rest(this.#deadlines.nowMs + keptMs)
    this.#idle.push(connection)
  }

  forget(connection: UpstreamConnection): void {
    this.#open.delete(connection)
    const index = this.#idle.lastIndexOf(connection)
    if (index >= 0) this.#idle.splice(index, 1)
  }

  /** Closes idle connections, and every other one when its request is done. */
  retire(): void {
    this.gone = true
    for (const connection of [...this.#idle]) connection.destroy()
  }

  /** Undoes `retire`: it is in a plan again, like a new one but for what it counted. */
  comeBack(): void {
    this.gone = false
    this.draining = false
    this.credit = 0
  }

  /** Closes every connection at once, those in use included. */
  destroy(): void {
    this.gone = true
    for (const connection of [...this.#open]) connection.socket.destroy()
  }

  /** Counts a request that ended: `status` 0 for one without an answer. */
  count(status: number, durationMs: number, bytesIn: number, bytesOut: number): void {
    this.#requests++
    this.#bytesIn += bytesIn
    this.#bytesOut += bytesOut
    const kind = (status / 100) | 0
    this.#statuses[kind] = (this.#statuses[kind] ?? 0) + 1
    if (status === 0) return
    this.#latencySumMs += durationMs
    const seconds = durationMs / 1_000
    let bucket = 0
    while (bucket < latencyBoundsSeconds.length && seconds > (latencyBoundsSeconds[bucket] ?? 0))
      bucket++
    this.#latencies[bucket] = (this.#latencies[bucket] ?? 0) + 1
  }

  countFailure(): void {
    this.#failures++
  }

  stats(): ReplicaStats {
    return {
      id: this.id,
      inFlight: this.inFlight,
      requestsTotal: this.#requests,
      failuresTotal: this.#failures,
      statusTotal: [...this.#statuses],
      bytesInTotal: this.#bytesIn,
      bytesOutTotal: this.#bytesOut,
      latencyCounts: [...this.#latencies],
      latencySumSeconds: this.#latencySumMs / 1_000,
    }
  }
}
