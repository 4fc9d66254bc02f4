import type { TopicOptions } from '../queue-engine.ts'
import type { Runs } from './work/runs.ts'

/** What a partition is called, and how it behaves. */
export interface PartitionSpec {
  /** Unique for ever, over all brokers. */
  readonly id: number
  readonly topic: string
  /** Its number within the topic. */
  readonly index: number
  /** Raised each time the partition changes its owner; writes under an older one are refused. */
  readonly epoch: number
  readonly options: Required<TopicOptions>
}

/** Everything that changes the state of a partition beside its records. JSON in the broker's log. */
export type PartitionEvent =
  /** This broker owns the partition, or copies it from its owner. */
  | { readonly type: 'own'; readonly id: number; readonly spec: PartitionSpec }
  | { readonly type: 'copy'; readonly id: number; readonly spec: PartitionSpec }
  /** The copy is whole: this is the owner's state, and its epoch is over. */
  | {
      readonly type: 'adopt'
      readonly id: number
      readonly spec: PartitionSpec
      readonly state: unknown
    }
  /** Nothing is written here any more: another broker takes over with this epoch. */
  | { readonly type: 'fence'; readonly id: number; readonly epoch: number }
  /** A move was given up: the old owner goes on with a new epoch. */
  | { readonly type: 'resume'; readonly id: number; readonly epoch: number }
  | {
      readonly type: 'commit'
      readonly id: number
      readonly group: string
      readonly offset: number
      readonly generation: number
    }
  | {
      readonly type: 'work'
      readonly id: number
      readonly group: string
      /** Where it begins. */
      readonly start: number
    }
  | {
      readonly type: 'lease'
      readonly id: number
      readonly group: string
      readonly cursor: number
      readonly runs: Runs
      readonly deadlineMs: number
      readonly aside: Runs
      /** See tokens.ts. Not there in the logs of earlier versions. */
      readonly mark?: number
    }
  | { readonly type: 'done'; readonly id: number; readonly group: string; readonly runs: Runs }
  | {
      readonly type: 'back'
      readonly id: number
      readonly group: string
      /** Offset and due time in ms, in turns. */
      readonly pairs: readonly number[]
      readonly dead: Runs
      /** Why the dead ones are. */
      readonly reason: string
    }
  | {
      readonly type: 'extend'
      readonly id: number
      readonly group: string
      readonly runs: Runs
      readonly deadlineMs: number
    }
  | { readonly type: 'cancel'; readonly id: number; readonly offset: number }
  | { readonly type: 'purge'; readonly id: number; readonly offset: number }
