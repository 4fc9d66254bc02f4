import type { Output } from '../archives/write-archive.ts'
import type { LetterCounts } from '../letters/word-scatter.ts'
import type { InputForm } from '../source/input.ts'
import type { Way } from '../way/way.ts'

/**
 * One request for chunks, as it is kept on disk.
 *
 *   waiting ──▶ working ──▶ done
 *      │           ├──▶ failed
 *      └───────────┴──▶ cancelled
 *
 * A restart puts what was working back among those that wait; it goes on from its last checkpoint.
 */
export interface ChunkRequest {
  readonly id: string
  /** Grows with each request: the order of the queue. */
  readonly sequence: number
  readonly name: string
  /** As it was asked for: `letters a-c`. */
  readonly by: string
  readonly way: Way
  readonly output: Output
  /** How the upload is to be unpacked before the work; absent once it is. */
  packed?: InputForm | undefined
  /** How many files the upload is in, one after the other. */
  inputs: number
  bytes: number
  /** Of the whole file; known at the latest when the request is done. */
  sha256?: string
  readonly createdAtMs: number
  state: 'waiting' | 'working' | 'done' | 'failed' | 'cancelled'
  doneBytes: number
  /** What its files count in the quota. */
  heldBytes: number
  endedAtMs?: number
  /** Why it failed. */
  error?: { readonly code: string; readonly message: string; readonly status: number }
  pieces?: number
  counts?: readonly LetterCounts[]
  /** Of the result in the form that was asked for; absent where only writing it would tell. */
  resultBytes?: number
}

/** A request as clients see it. */
export interface RequestView {
  readonly id: string
  readonly name: string
  readonly by: string
  readonly output: Output
  readonly bytes: number
  readonly state: ChunkRequest['state']
  /** 0 is worked on, 1 is next; absent once it ended. */
  readonly place?: number
  /** Share of the work that is done, 0 to 1. */
  readonly progress: number
  /** Until it is done, under the present load, in ms; absent while nothing was measured yet. */
  readonly estimateMs?: number
  readonly pieces?: number
  /** Of the download; absent where only writing it would tell. */
  readonly resultBytes?: number
  readonly error?: ChunkRequest['error']
  readonly createdAtMs: number
  readonly endedAtMs?: number
}

/** Whether a request waits or is worked on. */
export function isOpen({ state }: Pick<ChunkRequest, 'state'>): boolean {
  return state === 'waiting' || state === 'working'
}
