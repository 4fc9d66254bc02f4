import type { Output } from '../archives/write-archive.ts'
import type { LetterCounts } from '../letters/word-scatter.ts'
import type { Way } from '../way.ts'

/**
 * One request for chunks, as it is kept on disk.
 *
 *   waiting ──▶ working ──▶ done
 *      │           ├──▶ failed
 *      └───────────┴──▶ cancelled
 *
 * A restart puts what was working back among those that wait; its upload is kept until it is done.
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
  readonly bytes: number
  readonly sha256: string
  readonly createdAtMs: number
  state: 'waiting' | 'working' | 'done' | 'failed' | 'cancelled'
  doneBytes: number
  endedAtMs?: number
  /** Why it failed. */
  error?: { readonly code: string; readonly message: string; readonly status: number }
  pieces?: number
  counts?: readonly LetterCounts[]
  /** Bytes of the request's folder beside the upload. */
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
  readonly error?: ChunkRequest['error']
  readonly createdAtMs: number
  readonly endedAtMs?: number
}
