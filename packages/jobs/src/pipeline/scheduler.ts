import type { Service } from '@drover/kernel'
import { keyedId } from '../api/job-id.ts'
import type { Submission } from '../job.ts'
import type { Schedule } from '../schedule.ts'
import type { ScheduleStore } from '../store/schedule-store.ts'
import { createLoop, type LoopOptions } from './loop.ts'

export interface SchedulerOptions extends Omit<LoopOptions, 'name'> {
  readonly schedules: ScheduleStore
  /** Called when jobs were made, so that a publisher in the same process need not wait. */
  readonly onSubmitted: () => void
}

/** Schedules of one transaction. */
const atOnceMax = 100
/** How often it looks; a schedule names whole minutes. In ms. */
const everyMs = 1_000
/** Attempts at one page unless the schedule says otherwise. */
const attemptsMax = 5

/**
 * Submits what schedules name when its time has come. It goes to the store at once: the schedule is
 * there, too, so the job and the schedule's next time are one transaction. Several may run.
 */
export function createScheduler(options: SchedulerOptions): Service {
  const { clock, schedules, onSubmitted } = options
  return createLoop({ ...options, name: 'scheduler' }, async (signal) => {
    const due = await schedules.submitDue(atOnceMax, (schedule, dueMs) =>
      occurrenceOf(schedule, dueMs, clock.now()),
    )
    if (due > 0) onSubmitted()
    if (due < atOnceMax) await clock.sleep(everyMs, signal)
  })
}

function occurrenceOf(schedule: Schedule, dueMs: number, nowMs: number): Submission {
  const { id, ownerId, job } = schedule
  return {
    id: keyedId(id, dueMs),
    ownerId,
    userId: job.userId ?? ownerId,
    url: job.url,
    type: job.type,
    callbackUrl: job.callbackUrl,
    addedMs: nowMs,
    priority: job.priority ?? 0,
    dueMs: 0,
    attemptsMax: job.attemptsMax ?? attemptsMax,
    batchId: undefined,
    scheduleId: id,
  }
}
