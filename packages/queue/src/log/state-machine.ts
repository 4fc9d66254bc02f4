import type { Clock, Log, Random } from '@drover/kernel'
import type { LogOptions } from '../options.ts'
import type { Disk } from './disk.ts'

/** One change of the broker's state, kept in the log as JSON. */
export interface StoreEvent {
  readonly type: string
  /** The partition it concerns. */
  readonly id?: number
}

/** What is rebuilt from the log. The same calls in the same order must give the same state. */
export interface StateMachine {
  applyBatch(partition: number, batch: Buffer): void
  applyEvent(event: StoreEvent): void
  /** The whole state as plain JSON. */
  snapshot(): unknown
  restore(state: unknown): void
}

export interface StoreOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly options: LogOptions
  readonly machine: StateMachine
  /** Called once, when a write or sync failed: nothing is taken any more; open a new store. */
  readonly onFailure: (error: unknown) => void
  /** Called when more of a partition can be read. */
  readonly onPublish?: (partition: number) => void
}

/** How long a partition keeps its records. */
export interface Retention {
  readonly bytesMax: number
  readonly beforeMs: number
  readonly compact: boolean
}

/** Events that the store itself understands. */
export type LogEvent =
  | { readonly type: 'log.open'; readonly id: number; readonly start: number }
  | { readonly type: 'log.drop'; readonly id: number }
  | { readonly type: 'log.start' | 'log.skip'; readonly id: number; readonly offset: number }
