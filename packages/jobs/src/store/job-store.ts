import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { zstdCompress, zstdCompressSync, zstdDecompress } from 'node:zlib'
import type { Clock } from '@drover/kernel'
import { type CompiledQuery, sql } from 'kysely'
import { fault } from '../errors.ts'
import { finalStates, type Job, type JobResult, type Submission } from '../job.ts'
import type { JobType } from '../reading/read-page.ts'
import type { Database } from './database.ts'
import type { Finding } from './endings.ts'
import { submittedNames, toJob, toRow } from './rows.ts'
import { rowsStatement } from './rows-statement.ts'
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

const pack = promisify(zstdCompress)
const unpack = promisify(zstdDecompress)

const everyOwner = sql`
  with recursive owners(owner) as (
    select min(owner_id) from messages
    union all
    select (select min(owner_id) from messages where owner_id > owners.owner)
    from owners where owners.owner is not null)
  select owner from owners where owner is not null`

/** Handing a content this small to another thread takes ten times what packing it does, in bytes. */
const packedHereMax = 262_144

/** Jobs that are there already stay as they are. */
function insertText(rows: string): string {
  return `insert into messages (${submittedNames.join(', ')}) values ${rows} on conflict (id) do nothing`
}

/** The most that one stored content unpacks to, in bytes. */
const contentBytesMax = 134_217_728

/** A content that is wanted again is noted so after this, well below `orphanMs` of retention, in ms. */
const notedAgainMs = 600_000

/** The jobs of all accounts, as people see them. Its other half is `claim-store.ts`. */
export class JobStore {
  readonly #database: Database
  readonly #clock: Clock

  readonly #insert: (rows: readonly (readonly unknown[])[]) => readonly CompiledQuery[]

  constructor(database: Database, clock: Clock) {
    this.#database = database
    this.#clock = clock
    this.#insert = rowsStatement(database.kind, submittedNames.length, insertText)
  }

  /** Stores all of `jobs` in one transaction; those that are there already stay as they are. */
  async record(jobs: readonly Submission[]): Promise<void> {
    if (jobs.length === 0) return
    const nowMs = this.#clock.now()
    const rows = jobs.map((job) => {
      const row = toRow(job, nowMs)
      return submittedNames.map((name) => row[name])
    })
    await this.#database.write(this.#insert(rows))
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

  /** Jobs that changed after `since`, earliest first: one owner's or everybody's, of a batch or all. */
  async changes(
    ownerId: string | undefined,
    since: { readonly ms: number; readonly id: string },
    limit: number,
    batchId?: string,
  ): Promise<readonly Job[]> {
    const query = this.#database.db
      .selectFrom('messages')
      .selectAll()
      .where(sql<boolean>`(updated_ms, id) > (${since.ms}, ${since.id})`)
      .$if(ownerId !== undefined, (all) => all.where('owner_id', '=', ownerId ?? ''))
      // The index is by owner: hop from one to the next rather than look through all jobs.
      .$if(ownerId === undefined && batchId === undefined, (all) =>
        all.where(sql<boolean>`owner_id in (${everyOwner})`),
      )
      .$if(batchId !== undefined, (all) => all.where('batch_id', '=', batchId ?? ''))
    const rows = await query.orderBy('updated_ms').orderBy('id').limit(limit).execute()
    return rows.map(toJob)
  }

  /** How many jobs are in which state: of one owner, of one batch, or all. */
  async counts(
    where: { ownerId?: string | undefined; batchId?: string | undefined } = {},
  ): Promise<Record<string, number>> {
    let query = this.#database.db
      .selectFrom('messages')
      .select((build) => ['state', build.fn.countAll<number | string>().as('count')])
    if (where.ownerId !== undefined) query = query.where('owner_id', '=', where.ownerId)
    if (where.batchId !== undefined) query = query.where('batch_id', '=', where.batchId)
    const rows = await query.groupBy('state').execute()
    return Object.fromEntries(rows.map(({ state, count }) => [state, Number(count)]))
  }

  /** How many jobs of each type are in which state: of one owner, or all. */
  async countsByType(ownerId?: string): Promise<Record<JobType, Record<string, number>>> {
    const rows = await this.#database.db
      .selectFrom('messages')
      .select((build) => ['type', 'state', build.fn.countAll<number | string>().as('count')])
      .$if(ownerId !== undefined, (query) => query.where('owner_id', '=', ownerId ?? ''))
      .groupBy(['type', 'state'])
      .execute()
    const found: Record<JobType, Record<string, number>> = { 1: {}, 2: {}, 3: {} }
    for (const { type, state, count } of rows) found[type as JobType][state] = Number(count)
    return found
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
    const row = await this.#end().where('id', '=', id).returningAll().executeTakeFirst()
    if (!row) throw fault('JOB_STATE', `job ${id} has ended already`)
    return toJob(row)
  }

  /** Starts a job that has ended again, as its next run. Throws JOB_STATE when it has not. */
  async retry(id: string, ownerId?: string): Promise<Job> {
    const { state } = await this.job(id, ownerId)
    // As it is now: in the next moment the publisher may have it.
    const row = await this.#startAgain()
      .where('id', '=', id)
      .where('state', 'in', [...finalStates])
      .returningAll()
      .executeTakeFirst()
    if (!row) throw fault('JOB_STATE', `job ${id} is ${state}, it has not ended`)
    return toJob(row)
  }

  /** Starts up to `limit` jobs that have ended so again, as their next runs; returns how many. */
  async retryMany(
    filter: Omit<JobFilter, 'after'> & { readonly state: JobState },
  ): Promise<number> {
    if (!finalStates.has(filter.state)) throw new RangeError(`${filter.state} is no final state`)
    const found = await this.jobs(filter)
    if (found.length === 0) return 0
    const { numUpdatedRows } = await this.#startAgain()
      .where(
        'id',
        'in',
        found.map(({ id }) => id),
      )
      .where('state', '=', filter.state)
      .executeTakeFirst()
    return Number(numUpdatedRows)
  }

  /** Ends what of a batch has not ended; returns how many jobs that were. */
  async cancelBatch(batchId: string, ownerId?: string): Promise<number> {
    const { numUpdatedRows } = await this.#end()
      .where('batch_id', '=', batchId)
      .$if(ownerId !== undefined, (query) => query.where('owner_id', '=', ownerId ?? ''))
      .executeTakeFirst()
    return Number(numUpdatedRows)
  }

  #end() {
    const nowMs = this.#clock.now()
    return this.#database.db
      .updateTable('messages')
      .set({ state: 'cancelled', is_processing: 0, updated_ms: nowMs, claim: null })
      .set({ date_process_complete: nowMs, claim_until_ms: 0 })
      .where('state', 'not in', [...finalStates])
  }

  #startAgain() {
    const nowMs = this.#clock.now()
    return this.#database.db
      .updateTable('messages')
      .set((build) => ({ state: 'waiting', attempt: 0, run: build('run', '+', 1) }))
      .set({ losses: 0, turn_ms: 0 })
      .set({ is_processed: 0, due_ms: nowMs, updated_ms: nowMs, date_process_complete: null })
      .set({ reason: null, reason_code: null })
  }

  /** The last result that the same owner has of the same page; undefined when there is none. */
  async lastResult(job: Submission): Promise<Finding | undefined> {
    const row = await this.#database.db
      .selectFrom('messages')
      .select(['content_hash', 'whole_hash', 'result'])
      .where('owner_id', '=', job.ownerId)
      .where('type', '=', job.type)
      .where('request_url', '=', job.url)
      .where('state', '=', sql.lit('done'))
      .orderBy('date_process_complete', 'desc')
      .limit(1)
      .executeTakeFirst()
    if (!row?.content_hash || !row.result) return undefined
    const wholeHash = row.whole_hash ?? undefined
    const nowMs = this.#clock.now()
    // Noted as wanted still, or retention might remove it before the new job names it.
    for (const hash of [row.content_hash, wholeHash])
      if (hash !== undefined && !(await this.#keepAgain(hash, nowMs))) return undefined
    const result = JSON.parse(row.result) as JobResult
    return { contentHash: row.content_hash, wholeHash, result }
  }

  /** Stores a content once, however many jobs have it; returns its SHA-256 in hex. */
  async keepContent(content: string): Promise<string> {
    const bytes = Buffer.from(content)
    const hash = createHash('sha256').update(bytes).digest('hex')
    const nowMs = this.#clock.now()
    if (await this.#keepAgain(hash, nowMs)) return hash
    const packed = bytes.length > packedHereMax ? await pack(bytes) : zstdCompressSync(bytes)
    // The ending of its job comes after it in the log, and waits for the disk.
    const about = { hash, packed, bytes: bytes.length, packed_bytes: packed.length, kept_ms: nowMs }
    const query = this.#database.db
      .insertInto('contents')
      .values(about)
      .onConflict((conflict) => conflict.column('hash').doUpdateSet({ kept_ms: nowMs }))
    await this.#database.write([query.compile()], { soft: true })
    return hash
  }

  /** Notes that a content is wanted still; false when it is not there. */
  async #keepAgain(hash: string, nowMs: number): Promise<boolean> {
    const { db } = this.#database
    const there = await db
      .selectFrom('contents')
      .select('kept_ms')
      .where('hash', '=', hash)
      .executeTakeFirst()
    if (!there) return false
    if (there.kept_ms > nowMs - notedAgainMs) return true
    const { numUpdatedRows } = await db
      .updateTable('contents')
      .set({ kept_ms: nowMs })
      .where('hash', '=', hash)
      .executeTakeFirst()
    return numUpdatedRows > 0n
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
