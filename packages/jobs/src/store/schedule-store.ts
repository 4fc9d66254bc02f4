import type { Clock } from '@drover/kernel'
import { type Selectable, sql, type Transaction } from 'kysely'
import { fault } from '../errors.ts'
import { finalStates, type Submission } from '../job.ts'
import { nextTime, type Schedule, type ScheduledJob } from '../schedule.ts'
import type { Database } from './database.ts'
import { toRow } from './rows.ts'
import type { Tables } from './tables.ts'

type ScheduleRow = Selectable<Tables['schedules']>

/** Makes the submission of one occurrence; the same occurrence has the same id always. */
export type MakeOccurrence = (schedule: Schedule, dueMs: number) => Submission

/** What is submitted again and again. */
export class ScheduleStore {
  readonly #database: Database
  readonly #clock: Clock

  constructor(database: Database, clock: Clock) {
    this.#database = database
    this.#clock = clock
  }

  /** Throws SCHEDULE_INVALID, and QUOTA_REACHED when the owner has `most` already. */
  async add(
    wanted: Pick<Schedule, 'id' | 'ownerId' | 'cron' | 'timeZone' | 'job'>,
    most: number,
  ): Promise<Schedule> {
    const nowMs = this.#clock.now()
    const { id, ownerId, cron, timeZone, job } = wanted
    const nextMs = nextTime(cron, timeZone, nowMs)
    if (nextMs === undefined) throw fault('SCHEDULE_INVALID', `cron: "${cron}" never comes`)
    const row = {
      ...{ id, cron, owner_id: ownerId, time_zone: timeZone, job: JSON.stringify(job) },
      ...{ paused: 0, next_ms: nextMs, last_ms: null, last_job_id: null, created_ms: nowMs },
    }
    const { db } = this.#database
    const { count } = await db
      .selectFrom('schedules')
      .select((build) => build.fn.countAll<number | string>().as('count'))
      .where('owner_id', '=', ownerId)
      .executeTakeFirstOrThrow()
    if (Number(count) >= most) throw fault('QUOTA_REACHED', `there are ${count} schedules already`)
    await db.insertInto('schedules').values(row).execute()
    return toSchedule(row)
  }

  /** The newest first; those of one owner, or all. */
  async list(filter: {
    ownerId: string | undefined
    after?: { readonly createdMs: number; readonly id: string } | undefined
    limit: number
  }): Promise<readonly Schedule[]> {
    let query = this.#database.db.selectFrom('schedules').selectAll()
    if (filter.ownerId !== undefined) query = query.where('owner_id', '=', filter.ownerId)
    const { after, limit } = filter
    if (after !== undefined)
      query = query.where(sql<boolean>`(created_ms, id) < (${after.createdMs}, ${after.id})`)
    const ordered = query.orderBy('created_ms', 'desc').orderBy('id', 'desc')
    return (await ordered.limit(limit).execute()).map(toSchedule)
  }

  /** Throws SCHEDULE_UNKNOWN; also for one of somebody else than `ownerId`, when that is given. */
  async schedule(id: string, ownerId?: string): Promise<Schedule> {
    const row = await this.#database.db
      .selectFrom('schedules')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirst()
    if (!row || (ownerId !== undefined && row.owner_id !== ownerId))
      throw fault('SCHEDULE_UNKNOWN', `there is no schedule ${id}`)
    return toSchedule(row)
  }

  /** Rests or goes on; what it missed meanwhile is left out. Throws SCHEDULE_UNKNOWN. */
  async pause(id: string, paused: boolean, ownerId?: string): Promise<Schedule> {
    const { cron, timeZone } = await this.schedule(id, ownerId)
    const nextMs = nextTime(cron, timeZone, this.#clock.now()) ?? null
    await this.#database.db
      .updateTable('schedules')
      .set({ paused: paused ? 1 : 0, next_ms: nextMs })
      .where('id', '=', id)
      .execute()
    return this.schedule(id)
  }

  /** Jobs that it has submitted stay. Throws SCHEDULE_UNKNOWN. */
  async remove(id: string, ownerId?: string): Promise<void> {
    await this.schedule(id, ownerId)
    await this.#database.db.deleteFrom('schedules').where('id', '=', id).execute()
  }

  /**
   * Submits the jobs of up to `count` schedules that are due, each in one transaction with its next
   * time, so that no occurrence comes twice or is lost by a crash. Of those missed while nobody ran,
   * one comes. While the job of the one before has not ended, an occurrence is left out. Returns how
   * many schedules were due.
   */
  async submitDue(count: number, make: MakeOccurrence): Promise<number> {
    const nowMs = this.#clock.now()
    const isPostgres = this.#database.kind === 'postgres'
    return this.#database.db.transaction().execute(async (transaction) => {
      const rows = await transaction
        .selectFrom('schedules')
        .selectAll()
        .where('paused', '=', sql.lit(0))
        .where('next_ms', '<=', nowMs)
        .orderBy('next_ms')
        .limit(count)
        .$if(isPostgres, (query) => query.forUpdate().skipLocked())
        .execute()
      for (const row of rows) await this.#submit(transaction, row, make, nowMs)
      return rows.length
    })
  }

  async #submit(
    transaction: Transaction<Tables>,
    row: ScheduleRow,
    make: MakeOccurrence,
    nowMs: number,
  ): Promise<void> {
    const schedule = toSchedule(row)
    const may = await this.#mayRun(transaction, schedule)
    const job = may ? make(schedule, row.next_ms ?? nowMs) : undefined
    if (job)
      await transaction
        .insertInto('messages')
        .values(toRow(job, nowMs))
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute()
    await transaction
      .updateTable('schedules')
      .set({ next_ms: nextTime(row.cron, row.time_zone, nowMs) ?? null })
      .$if(job !== undefined, (query) =>
        query.set({ last_ms: nowMs, last_job_id: job?.id ?? null }),
      )
      .where('id', '=', row.id)
      .execute()
  }

  async #mayRun(transaction: Transaction<Tables>, { ownerId, lastJobId }: Schedule) {
    const owner = await transaction
      .selectFrom('users')
      .select('disabled')
      .where('id', '=', ownerId)
      .executeTakeFirst()
    if (owner?.disabled !== 0) return false
    if (lastJobId === undefined) return true
    const last = await transaction
      .selectFrom('messages')
      .select('state')
      .where('id', '=', lastJobId)
      .executeTakeFirst()
    return last === undefined || finalStates.has(last.state)
  }
}

function toSchedule(row: ScheduleRow): Schedule {
  return {
    id: row.id,
    ownerId: row.owner_id,
    cron: row.cron,
    timeZone: row.time_zone,
    job: JSON.parse(row.job) as ScheduledJob,
    paused: row.paused !== 0,
    nextMs: row.paused === 0 ? (row.next_ms ?? undefined) : undefined,
    lastMs: row.last_ms ?? undefined,
    lastJobId: row.last_job_id ?? undefined,
    createdMs: row.created_ms,
  }
}
