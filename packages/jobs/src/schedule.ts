import { Cron } from 'croner'
import { fault } from './errors.ts'
import type { JobType } from './reading/read-page.ts'

/** What a schedule submits each time. */
export interface ScheduledJob {
  readonly url: string
  readonly type: JobType
  readonly userId?: string | number | undefined
  readonly callbackUrl?: string | undefined
  readonly priority?: number | undefined
  readonly attemptsMax?: number | undefined
}

/** A job that is submitted again and again. */
export interface Schedule {
  readonly id: string
  readonly ownerId: string
  /** Five fields: minute, hour, day of the month, month, day of the week. */
  readonly cron: string
  /** A name of the IANA database: what the fields are meant in. */
  readonly timeZone: string
  readonly job: ScheduledJob
  readonly paused: boolean
  /** Undefined when no such time will come. */
  readonly nextMs: number | undefined
  readonly lastMs: number | undefined
  readonly lastJobId: string | undefined
  readonly createdMs: number
}

/**
 * Returns the first time after `afterMs` that `cron` names in `timeZone`, undefined when there is
 * none in the next years. A time that the clocks jump over in spring comes at the end of the jump,
 * one that they show twice in autumn comes once. Throws SCHEDULE_INVALID.
 */
export function nextTime(cron: string, timeZone: string, afterMs: number): number | undefined {
  const fields = cron.trim().split(/\s+/).length
  if (fields !== 5)
    throw fault('SCHEDULE_INVALID', `cron: "${cron}" has ${fields} fields, not minute to weekday`)
  checkTimeZone(timeZone)
  try {
    const options = { timezone: timeZone, paused: true, mode: '5-part' as const }
    return new Cron(cron, options).nextRun(new Date(afterMs))?.getTime()
  } catch (cause) {
    const why = (cause as Error).message
    throw fault('SCHEDULE_INVALID', `cron: "${cron}" cannot be read: ${why}`, { cause })
  }
}

function checkTimeZone(timeZone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone })
  } catch (cause) {
    throw fault('SCHEDULE_INVALID', `timeZone: there is no "${timeZone}"`, { cause })
  }
}
