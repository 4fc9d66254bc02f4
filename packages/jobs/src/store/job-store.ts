import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import type { Clock } from '@drover/kernel'
import { sql } from 'kysely'
import { fault } from '../errors.ts'
import { finalStates, type Job, type JobResult, type Submission } from '../job.ts'
import type { JobType } from '../reading/read-page.ts'
import type { Database } from './database.ts'
import { toJob, toRow } from './rows.ts'
import type { JobState } from './tables.ts'

/** Which jobs to list; undefined means any. */
export interface JobFilter {
  readonly ownerId: string | undefined
  readonly state?: JobState | undefined
  readonly type?: JobType | undefined
  readonly batchId?: string | undefined
  /** Listed after this one. */
  readonly after?: { readonly addedMs: number; readonly id: string } | undefined
  readonly limit: number
}

/** Rows of one insert: their fields stay below what either database binds at one time. */
const insertRows = 500

const pack = promisify(zstdCompress)
const unpack = promisify(zstdDecompress)

/** The most that one stored content unpacks to, in bytes. */
const contentBytesMax = 134_217_728

/** The jobs of all accounts, as people see them. Its other half is `claim-store.ts`. */
export class JobStore {
  readonly #database: Database
  readonly #clock: Clock

  constructor(database: Database, clock: Clock) {
    this.#database = database
    this.#clock = clock
  }

  /** Stores all of `jobs` in one transaction; those that are there already stay as they are. */
  async record(jobs: readonly Submission[]): Promise<void> {
    if (jobs.length === 0) return
    const rows = jobs.map((job) => toRow(job, this.#clock.now()))
    await this.#database.db.transaction().execute(async (transaction) => {
      for (let start = 0; start < rows.length; start += insertRows)
        await transaction
          .insertInto('messages')
          .values(rows.slice(start, start + insertRows))
          .onConflict((conflict) => conflict.column('id').doNothing())
          .execute()
    })
  }

  /** Throws JOB_UNKNOWN; also for a job of somebody else than `ownerId`, when that is given. */
  async job(id: string, ownerId?: string): Promise<Job> {
    const row = await this.#database.db
      .selectFrom('messages')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirst()
    if (!row || (ownerId !== undefined && row.owner_id !== ownerId))
      throw fault('JOB_UNKNOWN', `there is no job ${id}`)
    return toJob(row)
  }

  /** Those of `ids` that are there. */
  async byIds(ids: readonly string[]): Promise<ReadonlyMap<string, Job>> {
    const query = this.#database.db.selectFrom('messages').selectAll()
    const rows = await query.where('id', 'in', ids).execute()
    return new Map(rows.map((row) => [row.id, toJob(row)]))
  }

  /** The newest first. */
  async jobs(filter: JobFilter): Promise<readonly Job[]> {
    let query = this.#database.db.selectFrom('messages').selectAll()
    if (filter.ownerId !== undefined) query = query.where('owner_id', '=', filter.ownerId)
    if (filter.state !== undefined) query = query.where('state', '=', filter.state)
    if (filter.type !== undefined) query = query.where('type', '=', filter.type)
    if (filter.batchId !== undefined) query = query.where('batch_id', '=', filter.batchId)
    const { after, limit } = filter
    if (after !== undefined)
      query = query.where(sql<boolean>`(date_added, id) < (${after.addedMs}, ${after.id})`)
    const ordered = query.orderBy('date_added', 'desc').orderBy('id', 'desc')
    const rows = await ordered.limit(limit).execute()
    return rows.map(toJob)
  }

  /** One owner's jobs (of one batch, or all) that changed at or after `sinceMs`, earliest first. */
  async changes(
    ownerId: string,
    sinceMs: number,
    limit: number,
    batchId?: string,
  ): Promise<readonly Job[]> {
    let query = this.#database.db
      .selectFrom('messages')
      .selectAll()
      .where('owner_id', '=', ownerId)
      .where('updated_ms', '>=', sinceMs)
    if (batchId !== undefined) query = query.where('batch_id', '=', batchId)
    const rows = await query.orderBy('updated_ms').orderBy('id').limit(limit).execute()
    return rows.map(toJob)
  }

  /** How many jobs are in which state: of one owner, of one batch, or all. */
  async counts(
    where: { ownerId?: string; batchId?: string } = {},
  ): Promise<Record<string, number>> {
    let query = this.#database.db
      .selectFrom('messages')
      .select((build) => ['state', build.fn.countAll<number | string>().as('count')])
    if (where.ownerId !== undefined) query = query.where('owner_id', '=', where.ownerId)
    if (where.batchId !== undefined) query = query.where('batch_id', '=', where.batchId)
    const rows = await query.groupBy('state').execute()
    return Object.fromEntries(rows.map(({ state, count }) => [state, Number(count)]))
  }

  /** How many jobs of one owner have not ended. */
  async unfinished(ownerId: string): Promise<number> {
    const row = await this.#database.db
      .selectFrom('messages')
      .select((build) => build.fn.countAll<number | string>().as('count'))
      .where('owner_id', '=', ownerId)
      .where('state', 'in', ['delayed', 'waiting', 'publishing', 'queued', 'working'])
      .executeTakeFirst()
    return Number(row?.count ?? 0)
  }

  /** Ends a job that is not done yet. Throws JOB_STATE when it is. */
  async cancel(id: string, ownerId?: string): Promise<Job> {
    const before = await this.job(id, ownerId)
    if (before.state === 'cancelled') return before
    const nowMs = this.#clock.now()
    const { numUpdatedRows } = await this.#database.db
      .updateTable('messages')
      .set({ state: 'cancelled', is_processing: 0, updated_ms: nowMs, claim: null })
      .set({ date_process_complete: nowMs, claim_until_ms: 0 })
      .where('id', '=', id)
      .where('state', 'not in', [...finalStates])
      .executeTakeFirst()
    if (numUpdatedRows === 0n) throw fault('JOB_STATE', `job ${id} has ended already`)
    return this.job(id)
  }

  /** Starts a job that has ended again, as its next run. Throws JOB_STATE when it has not. */
  async retry(id: string, ownerId?: string): Promise<Job> {
    const { state } = await this.job(id, ownerId)
    const nowMs = this.#clock.now()
    const { numUpdatedRows } = await this.#database.db
      .updateTable('messages')
      .set((build) => ({ state: 'waiting', attempt: 0, run: build('run', '+', 1) }))
      .set({ is_processed: 0, due_ms: nowMs, updated_ms: nowMs, date_process_complete: null })
      .set({ reason: null, reason_code: null })
      .where('id', '=', id)
      .where('state', 'in', [...finalStates])
      .executeTakeFirst()
    if (numUpdatedRows === 0n) throw fault('JOB_STATE', `job ${id} is ${state}, it has not ended`)
    return this.job(id)
  }

  /** The last result that the same owner has of the same page; undefined when there is none. */
  async lastResult(job: Submission): Promise<{ hash: string; result: JobResult } | undefined> {
    const row = await this.#database.db
      .selectFrom('messages')
      .select(['content_hash', 'result'])
      .where('owner_id', '=', job.ownerId)
      .where('type', '=', job.type)
      .where('request_url', '=', job.url)
      .where('state', '=', sql.lit('done'))
      .orderBy('date_process_complete', 'desc')
      .limit(1)
      .executeTakeFirst()
    if (!row?.content_hash || !row.result) return undefined
    return { hash: row.content_hash, result: JSON.parse(row.result) as JobResult }
  }

  /** Stores a content once, however many jobs have it; returns its SHA-256 in hex. */
  async keepContent(content: string): Promise<string> {
    const bytes = Buffer.from(content)
    const hash = createHash('sha256').update(bytes).digest('hex')
    const { db } = this.#database
    const there = await db
      .selectFrom('contents')
      .select('hash')
      .where('hash', '=', hash)
      .executeTakeFirst()
    if (there) return hash
    await db
      .insertInto('contents')
      .values({ hash, packed: await pack(bytes), bytes: bytes.length })
      .onConflict((conflict) => conflict.column('hash').doNothing())
      .execute()
    return hash
  }

  /** Throws RESULT_MISSING. */
  async content(hash: string): Promise<Uint8Array> {
    const row = await this.#database.db
      .selectFrom('contents')
      .select('packed')
      .where('hash', '=', hash)
      .executeTakeFirst()
    if (!row) throw fault('RESULT_MISSING', 'the content is not there')
    return unpack(row.packed, { maxOutputLength: contentBytesMax })
  }
}
