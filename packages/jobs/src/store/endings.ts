import type { Job, JobResult } from '../job.ts'
import type { Tables } from './tables.ts'

/** What a job found, and where its contents are. */
export interface Finding {
  readonly contentHash: string
  /** Of the whole text, where the content is an article's. */
  readonly wholeHash?: string | undefined
  readonly result: JobResult
}

/** How one attempt ended. */
export type Ending =
  | ({ readonly kind: 'done' } & Finding)
  | {
      readonly kind: 'again'
      readonly dueMs: number
      readonly code: string
      readonly reason: string
    }
  | { readonly kind: 'dead'; readonly code: string; readonly reason: string }
  /** Not begun: its host is busy until then, and has a turn for it. The attempt does not count. */
  | { readonly kind: 'parked'; readonly dueMs: number }

/** A callback to be sent. */
export interface NewDelivery {
  readonly id: string
  readonly url: string
  readonly body: string
}

/** Returns the row of a callback that is to be sent now. */
export function deliveryRow(delivery: NewDelivery, job: Job, nowMs: number): Tables['deliveries'] {
  return {
    ...delivery,
    job_id: job.id,
    traceparent: job.traceparent ?? null,
    owner_id: job.ownerId,
    receiver: receiverOf(delivery.url),
    state: 'pending',
    attempt: 0,
    due_ms: nowMs,
    created_ms: nowMs,
    claim: null,
    claim_until_ms: 0,
  }
}

/** Whom a callback goes to: what is slow or away is so for all callbacks to one origin. */
export function receiverOf(url: string): string {
  return URL.parse(url)?.origin ?? ''
}

/** What an ending changes in the row of its job. */
export type EndingRow = Pick<
  Tables['messages'],
  | 'state'
  | 'is_processed'
  | 'date_process_complete'
  | 'due_ms'
  | 'turn_ms'
  | 'attempt'
  | 'content_hash'
  | 'whole_hash'
  | 'result'
  | 'reason'
  | 'reason_code'
  | 'updated_ms'
>

/** Returns the row of a job after an ending; what the ending does not change is as it was begun. */
export function endingRow(ending: Ending, job: Job, nowMs: number): EndingRow {
  const before: EndingRow = {
    state: job.state,
    is_processed: 0,
    date_process_complete: job.completedMs ?? null,
    due_ms: job.dueMs,
    turn_ms: job.turnMs,
    attempt: job.attempt,
    content_hash: job.contentHash ?? null,
    whole_hash: job.wholeHash ?? null,
    result: job.result === undefined ? null : JSON.stringify(job.result),
    reason: job.reason ?? null,
    reason_code: job.reasonCode ?? null,
    updated_ms: nowMs,
  }
  return { ...before, ...changedBy(ending, job, nowMs) }
}

function changedBy(ending: Ending, job: Job, nowMs: number): Partial<EndingRow> {
  if (ending.kind === 'parked') {
    const { dueMs } = ending
    return { state: 'delayed', due_ms: dueMs, turn_ms: dueMs, attempt: job.attempt - 1 }
  }
  if (ending.kind === 'done')
    return {
      state: 'done',
      is_processed: 1,
      date_process_complete: nowMs,
      content_hash: ending.contentHash,
      whole_hash: ending.wholeHash ?? null,
      result: JSON.stringify(ending.result),
      reason: null,
      reason_code: null,
    }
  const why = { reason: ending.reason, reason_code: ending.code }
  if (ending.kind === 'dead') return { state: 'dead', date_process_complete: nowMs, ...why }
  const state = ending.dueMs > nowMs ? 'delayed' : 'waiting'
  return { state, due_ms: ending.dueMs, turn_ms: 0, ...why }
}
