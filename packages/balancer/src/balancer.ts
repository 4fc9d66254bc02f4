import type { Clock, Log, Random } from '@drover/kernel'
import type { Resolve } from './addresses.ts'
import { ControlPlane } from './control-plane.ts'
import type { Model } from './model.ts'
import type { Engine, PolicyPlan, RefusedRequest } from './plan.ts'
import type { Probe } from './probe.ts'
import type { Transition } from './replica-health.ts'
import type { BalancerStatus } from './status.ts'

/** What a front door is made of. */
export interface BalancerParts {
  readonly engine: Engine
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** How replicas are checked. Default: over the network. */
  readonly probe?: Probe
  /** How host names are resolved. Default: by the system. */
  readonly resolve?: Resolve
}

/** A replica that joins a service: started by a supervisor, or known to whoever calls. */
export interface NewReplica {
  /** Unique for ever among all services: `web/Server 1`. */
  readonly id: string
  /** For people: `Server 1`. */
  readonly name: string
  readonly host: string
  readonly port: number
  /** Share relative to the others. Above 0. Default 1. */
  readonly weight?: number
}

/** What happens at the front door. */
export type BalancerEvent =
  | { readonly kind: 'transition'; readonly service: string; readonly transition: Transition }
  /** A replica added by `addReplica` failed its check `fall` times: it should be replaced. */
  | {
      readonly kind: 'unfit'
      readonly service: string
      readonly replica: string
      readonly reason: string
    }
  /** The engine failed at something; it is tried again. */
  | { readonly kind: 'trouble'; readonly reason: string }

/** The front door's control plane: it judges health, and tells an engine whom to send requests. */
export interface Balancer {
  /** Opens the listeners. Throws PLAN_REFUSED, POLICY_UNSUPPORTED or ENGINE_FAILED. */
  start(model: Model): Promise<void>
  /**
   * Moves to `model` without dropping a connection; health, and replicas that were added, stay.
   * What `setWeight` and `setPolicy` changed of the model is the model's again. A bad model is
   * refused whole (PLAN_REFUSED, POLICY_UNSUPPORTED): the old one stays.
   */
  apply(model: Model): Promise<void>
  /** Lets what is under way end within `graceMs`, then closes everything. */
  stop(graceMs: number): Promise<void>
  /** The port that each listener really has. */
  ports(): Readonly<Record<string, number>>

  /** Adds a replica, which is checked at once and gets requests after its first passed check. */
  addReplica(service: string, replica: NewReplica): void
  /** Says how many replicas `service` should have: while fewer are in, requests wait for them. */
  expectReplicas(service: string, count: number): void
  /** The replica says that it is ready: it is checked at once. Unknown ids are ignored. */
  replicaSaidReady(id: string): void
  /** The replica has ended: it gets nothing more, at once. Unknown ids are ignored. */
  replicaGone(id: string, reason: string): void
  /** The replica gets nothing new from now on. Throws UNKNOWN_REPLICA. */
  drain(id: string, reason: string): void
  /** Takes `drain` back: the replica is checked and comes in again. Throws UNKNOWN_REPLICA. */
  resume(id: string, reason: string): void
  /** Changes a replica's share. Above 0. Throws UNKNOWN_REPLICA. */
  setWeight(id: string, weight: number): void
  /** Changes a service's policy. Throws UNKNOWN_SERVICE, PLAN_REFUSED, POLICY_UNSUPPORTED. */
  setPolicy(service: string, policy: PolicyPlan): Promise<void>

  /** Resolves when the engine sends the replica requests; rejects when it ends or on abort. */
  whenReady(id: string, signal: AbortSignal): Promise<void>
  /** Resolves when a draining replica has nothing under way, or when the signal aborts. */
  whenDrained(id: string, signal: AbortSignal): Promise<void>

  /** Everything that people ask about, as JSON. */
  status(): Promise<BalancerStatus>
  /** The counters in Prometheus' text format. */
  metrics(): Promise<string>
  /** The last refused requests, newest first. */
  refused(): Promise<readonly RefusedRequest[]>
  /** Calls `listener` for each event until the returned function is called. */
  on(listener: (event: BalancerEvent) => void): () => void
}

/** Returns a front door over an engine; nothing happens before `start`. */
export function createBalancer(parts: BalancerParts): Balancer {
  return new ControlPlane(parts)
}
