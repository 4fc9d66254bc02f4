import type { JobType } from './reading/read-page.ts'
import type { JobState } from './store/tables.ts'

/** One submission, as it goes through the message queue. */
export interface Submission {
  readonly id: string
  readonly ownerId: string
  /** What the request called its user; told back in the callback. */
  readonly userId: string | number
  readonly url: string
  readonly type: JobType
  readonly callbackUrl: string | undefined
  readonly addedMs: number
  /** 0 to 9, higher ones first. */
  readonly priority: number
  /** Not before this wall time; 0 means at once. */
  readonly dueMs: number
  readonly attemptsMax: number
  readonly batchId: string | undefined
  /** The trace that its request belongs to, as W3C has it; the callback goes on with it. */
  readonly traceparent?: string | undefined
  /** The schedule that submitted it. */
  readonly scheduleId?: string | undefined
}

/** What is known of a finished job's page. */
export interface JobResult {
  /** Where the last redirect led. */
  readonly url: string
  readonly status: number
  readonly contentType: string
  readonly bytes: number
  readonly etag: string | undefined
  readonly lastModified: string | undefined
  readonly facts: Readonly<Record<string, string | number | boolean>>
}

/** One job as the store knows it. */
export interface Job extends Submission {
  readonly state: JobState
  readonly attempt: number
  readonly run: number
  /** How often a worker died over it. */
  readonly losses: number
  /** The turn that it has at its host, as wall time; 0 when it has none. */
  readonly turnMs: number
  readonly updatedMs: number
  readonly completedMs: number | undefined
  readonly reasonCode: string | undefined
  readonly reason: string | undefined
  readonly contentHash: string | undefined
  /** Of the whole text, where the content is an article's. */
  readonly wholeHash: string | undefined
  readonly result: JobResult | undefined
}

/** The states in which nothing more happens by itself. */
export const finalStates: ReadonlySet<JobState> = new Set(['done', 'dead', 'cancelled'])
