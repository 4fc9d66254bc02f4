import type { Selectable } from 'kysely'
import type { Job, JobResult, Submission } from '../job.ts'
import type { JobType } from '../reading/read-page.ts'
import type { Tables } from './tables.ts'

export type JobRow = Selectable<Tables['messages']>

/** Returns the job that a row holds. */
export function toJob(row: JobRow): Job {
  return {
    id: row.id,
    ownerId: row.owner_id,
    userId: JSON.parse(row.user_id) as string | number,
    url: row.request_url,
    type: row.type as JobType,
    callbackUrl: row.callback_url ?? undefined,
    addedMs: row.date_added,
    priority: row.priority,
    dueMs: row.due_ms,
    attemptsMax: row.attempts_max,
    batchId: row.batch_id ?? undefined,
    scheduleId: row.schedule_id ?? undefined,
    traceparent: row.traceparent ?? undefined,
    state: row.state,
    attempt: row.attempt,
    run: row.run,
    losses: row.losses,
    turnMs: row.turn_ms,
    updatedMs: row.updated_ms,
    completedMs: row.date_process_complete ?? undefined,
    reasonCode: row.reason_code ?? undefined,
    reason: row.reason ?? undefined,
    contentHash: row.content_hash ?? undefined,
    wholeHash: row.whole_hash ?? undefined,
    result: row.result === null ? undefined : (JSON.parse(row.result) as JobResult),
  }
}

/** The columns that a submission fills; the others begin as the table says. */
export const submittedNames = [
  ...([
    'id',
    'owner_id',
    'user_id',
    'request_url',
    'type',
    'is_processed',
    'is_processing',
  ] as const),
  ...(['callback_url', 'date_added', 'state', 'updated_ms', 'priority', 'due_ms'] as const),
  ...(['attempt', 'attempts_max', 'run', 'batch_id', 'schedule_id', 'traceparent'] as const),
  ...(['claim_until_ms'] as const),
] as const

/** Returns the row of a job that has just been submitted. */
export function toRow(job: Submission, nowMs: number): Tables['messages'] {
  return {
    id: job.id,
    owner_id: job.ownerId,
    user_id: JSON.stringify(job.userId),
    request_url: job.url,
    type: job.type,
    is_processed: 0,
    is_processing: 0,
    callback_url: job.callbackUrl ?? null,
    date_added: job.addedMs,
    date_process_complete: null,
    state: job.dueMs > nowMs ? 'delayed' : 'waiting',
    updated_ms: nowMs,
    priority: job.priority,
    due_ms: job.dueMs,
    attempt: 0,
    attempts_max: job.attemptsMax,
    run: 1,
    batch_id: job.batchId ?? null,
    schedule_id: job.scheduleId ?? null,
    traceparent: job.traceparent ?? null,
    claim: null,
    claim_until_ms: 0,
    losses: 0,
    turn_ms: 0,
    reason_code: null,
    reason: null,
    content_hash: null,
    whole_hash: null,
    result: null,
  }
}
