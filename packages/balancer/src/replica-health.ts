/** Where a replica stands; see the picture above `ReplicaHealth`. */
export type ReplicaState =
  | 'starting'
  | 'checking'
  | 'ready'
  | 'slow-start'
  | 'suspect'
  | 'ejected'
  | 'draining'
  | 'stopped'

/** One step of a replica from state to state. */
export interface Transition {
  readonly atMs: number
  readonly replica: string
  readonly from: ReplicaState
  readonly to: ReplicaState
  /** In words, with the figures that decided. */
  readonly reason: string
}
