import type { Clock } from '@drover/kernel'
import { sql } from 'kysely'
import type { Database } from './database.ts'
import type { RetentionOptions } from './retention-options.ts'
import type { DeliveryState, JobState } from './tables.ts'

/** What one sweep removed. */
export interface Swept {
  readonly jobs: number
  readonly results: number
  readonly contents: number
}

/** Rows of one statement, so that nobody waits long for a sweep. */
const rowsMax = 500
/** Statements of one kind in one sweep; what is left over waits for the next one. */
const roundsMax = 2_000

/**
 * A content that no job has is removed after this: a worker stores it just before its job names it.
 * In ms.
 */
const orphanMs = 3_600_000

const ended: readonly JobState[] = ['done', 'dead', 'cancelled']
const open: readonly DeliveryState[] = ['pending', 'delivering']

/** Removes what is too old or too much, the oldest first. Several may sweep at one time. */
export class RetentionStore {
  readonly #database: Database
  readonly #clock: Clock

  constructor(database: Database, clock: Clock) {
    this.#database = database
    this.#clock = clock
  }

  /** Removes what `options` do not keep. Jobs that have not ended, or whose callback has not, stay. */
  async sweep(options: RetentionOptions): Promise<Swept> {
    const nowMs = this.#clock.now()
    let jobs = await inRounds(() => this.#removeJobs(rowsMax, nowMs - options.jobsKeptMs))
    jobs += await this.#removeBeyond(options.endedMax)
    const oldMs = nowMs - options.resultsKeptMs
    let results = await inRounds(() => this.#dropResults(rowsMax, oldMs))
    let contents = await inRounds(() => this.#removeOrphans())
    for (let round = 0; round < roundsMax; round++) {
      if ((await this.#contentBytes()) <= options.resultBytesMax) break
      const dropped = await this.#dropResults(rowsMax, nowMs - orphanMs)
      const removed = await inRounds(() => this.#removeOrphans())
      results += dropped
      contents += removed
      if (dropped === 0 && removed === 0) break
    }
    return { jobs, results, contents }
  }

  async #removeBeyond(endedMax: number): Promise<number> {
    const row = await this.#database.db
      .selectFrom('messages')
      .select((build) => build.fn.countAll<number | string>().as('count'))
      .where('date_process_complete', 'is not', null)
      .executeTakeFirst()
    let left = Number(row?.count ?? 0) - endedMax
    let removed = 0
    for (let round = 0; left > 0 && round < roundsMax; round++) {
      const some = await this.#removeJobs(Math.min(left, rowsMax), this.#clock.now())
      if (some === 0) break
      removed += some
      left -= some
    }
    return removed
  }

  /** Removes the jobs that ended first, before `beforeMs`, with their callbacks. */
  async #removeJobs(count: number, beforeMs: number): Promise<number> {
    return this.#database.db.transaction().execute(async (transaction) => {
      const rows = await transaction
        .selectFrom('messages')
        .select('id')
        .where('date_process_complete', '<', beforeMs)
        .where('state', 'in', ended)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('deliveries')
                .select('deliveries.id')
                .whereRef('deliveries.job_id', '=', 'messages.id')
                .where('deliveries.state', 'in', open),
            ),
          ),
        )
        .orderBy('date_process_complete')
        .orderBy('id')
        .limit(count)
        .execute()
      const ids = rows.map(({ id }) => id)
      if (ids.length === 0) return 0
      await transaction
        .deleteFrom('delivery_attempts')
        .where('delivery_id', 'in', (build) =>
          build.selectFrom('deliveries').select('id').where('job_id', 'in', ids),
        )
        .execute()
      await transaction.deleteFrom('deliveries').where('job_id', 'in', ids).execute()
      const query = transaction.deleteFrom('messages').where('id', 'in', ids)
      const { numDeletedRows } = await query.where('state', 'in', ended).executeTakeFirst()
      return Number(numDeletedRows)
    })
  }

  /** Takes their contents from the jobs that ended first. */
  async #dropResults(count: number, beforeMs: number): Promise<number> {
    const { numUpdatedRows } = await this.#database.db
      .updateTable('messages')
      .set({ content_hash: null, whole_hash: null })
      .where('id', 'in', (build) =>
        build
          .selectFrom('messages')
          .select('id')
          .where('date_process_complete', '<', beforeMs)
          .where('content_hash', 'is not', null)
          .orderBy('date_process_complete')
          .orderBy('id')
          .limit(count),
      )
      .executeTakeFirst()
    return Number(numUpdatedRows)
  }

  async #removeOrphans(): Promise<number> {
    const { numDeletedRows } = await this.#database.db
      .deleteFrom('contents')
      .where('hash', 'in', (build) =>
        build
          .selectFrom('contents')
          .select('hash')
          .where('kept_ms', '<', this.#clock.now() - orphanMs)
          .where(({ not, exists, selectFrom }) => {
            const jobs = selectFrom('messages').select('messages.id')
            return not(
              exists(
                jobs
                  .whereRef('messages.content_hash', '=', 'contents.hash')
                  .unionAll(jobs.whereRef('messages.whole_hash', '=', 'contents.hash')),
              ),
            )
          })
          .limit(rowsMax),
      )
      .executeTakeFirst()
    return Number(numDeletedRows)
  }

  async #contentBytes(): Promise<number> {
    const row = await this.#database.db
      .selectFrom('contents')
      .select(sql<number | string | null>`sum(packed_bytes)`.as('bytes'))
      .executeTakeFirst()
    return Number(row?.bytes ?? 0)
  }
}

/** Repeats until nothing is left to remove; returns how much it was. */
async function inRounds(remove: () => Promise<number>): Promise<number> {
  let sum = 0
  for (let round = 0; round < roundsMax; round++) {
    const removed = await remove()
    sum += removed
    if (removed < rowsMax) break
  }
  return sum
}
