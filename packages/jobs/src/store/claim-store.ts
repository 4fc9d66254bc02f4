import { type Clock, randomToken } from '@drover/kernel'
import { type ExpressionBuilder, sql } from 'kysely'
import { gather } from '../gather.ts'
import type { Job } from '../job.ts'
import type { JobType } from '../reading/read-page.ts'
import type { Database } from './database.ts'
import { deliveryRow, type Ending, endingRow, type NewDelivery } from './endings.ts'
import { prepared } from './prepared.ts'
import { toJob } from './rows.ts'
import type { JobState, Tables } from './tables.ts'

/** One job that a worker or publisher has to itself until the claim ends. */
export interface ClaimedJob {
  readonly job: Job
  readonly claim: string
}

interface Wanted {
  readonly id: string
  readonly run: number
  readonly claimMs: number
}

type Finish = ReturnType<typeof prepared<unknown>>

/** A state written into the statement: SQLite uses a partial index only for what it can read. */
const literal = <State extends JobState>(state: State) => sql.lit(state)

const underWayStates = [literal('publishing'), literal('queued'), literal('working')]

/** Owners that are served in one round of the publisher. */
const ownersMax = 1_000

/** The other half of the jobs: who works on which. Every step is one statement or transaction. */
export class ClaimStore {
  readonly #database: Database
  readonly #clock: Clock
  /** Where the last round ended, so that every owner has its turn. */
  readonly #lastOwner = new Map<JobType, string>()

  readonly #finishes = new Map<Ending['kind'], Finish>()
  readonly #begin = gather((wanted: readonly Wanted[]) => this.#beginAll(wanted))

  readonly #waitingTypes = prepared<{ type: JobType }>(() =>
    sql<{ type: JobType }>`
      select wanted.type from (select 1 as type union all select 2 union all select 3) as wanted
      where exists (
        select 1 from messages where state = 'waiting' and messages.type = wanted.type)`.compile(
      this.#database.db,
    ),
  )

  constructor(database: Database, clock: Clock) {
    this.#database = database
    this.#clock = clock
  }

  /** How many jobs of a type are between the publisher and their end. */
  async underWay(type: JobType): Promise<number> {
    const row = await this.#database.db
      .selectFrom('messages')
      .select((build) => build.fn.countAll<number | string>().as('count'))
      .where('state', 'in', underWayStates)
      .where('type', '=', type)
      .executeTakeFirst()
    return Number(row?.count ?? 0)
  }

  /** The types of which jobs wait for the publisher: cheap, so that it may look often. */
  async waitingTypes(): Promise<readonly JobType[]> {
    const { rows } = await this.#waitingTypes(this.#database.db, {})
    return rows.map(({ type }) => type)
  }

  /** Makes delayed jobs that are due wait for the publisher, and returns how many. */
  async wakeDelayed(limit: number): Promise<number> {
    const nowMs = this.#clock.now()
    const { numUpdatedRows } = await this.#database.write(
      (db) =>
        db
          .updateTable('messages')
          .set({ state: 'waiting', updated_ms: nowMs })
          .where('id', 'in', (build) =>
            build
              .selectFrom('messages')
              .select('id')
              .where('state', '=', literal('delayed'))
              .where('due_ms', '<=', nowMs)
              .orderBy('due_ms')
              .limit(limit),
          )
          .executeTakeFirst(),
      { soft: true },
    )
    return Number(numUpdatedRows)
  }

  /**
   * Claims up to `count` waiting jobs for the publisher: in turns from every owner that has some, of
   * each the highest priority first, then the oldest. They come in that order, an owner's after
   * another's.
   */
  async claimWaiting(
    type: JobType,
    count: number,
    claimMs: number,
  ): Promise<readonly ClaimedJob[]> {
    const owners = await this.#ownersInTurn(type)
    const claimed: (readonly ClaimedJob[])[] = []
    let left = count
    for (const [index, owner] of owners.entries()) {
      if (left <= 0) break
      const share = Math.ceil(left / (owners.length - index))
      const own = await this.#claimOf(owner, type, share, claimMs)
      claimed.push(own.toSorted(byTurn))
      left -= own.length
      this.#lastOwner.set(type, owner)
    }
    return interleave(claimed)
  }

  /** Notes that claimed jobs stand in their queue. One that a worker has begun already stays so. */
  async markQueued(jobs: readonly ClaimedJob[]): Promise<void> {
    const nowMs = this.#clock.now()
    await this.#database.write(
      (db) =>
        db
          .updateTable('messages')
          .set({ state: 'queued', updated_ms: nowMs, claim: null, claim_until_ms: nowMs })
          .where(this.#idIn(jobs.map(({ job }) => job.id)))
          .where('claim', 'in', [...new Set(jobs.map(({ claim }) => claim))])
          .where('state', '=', 'publishing')
          .execute(),
      { soft: true },
    )
  }

  /**
   * Puts back what a dead publisher or worker had, and returns how many jobs that were. The attempt
   * does not count, the loss does: a page that kills its workers comes to its end, too.
   */
  async releaseExpired(): Promise<number> {
    const nowMs = this.#clock.now()
    const expired = (build: ExpressionBuilder<Tables, 'messages'>) =>
      build.and([
        // By the words of the partial index, or SQLite looks through all jobs there ever were.
        build('state', 'in', underWayStates),
        build('state', '!=', literal('queued')),
        build('claim_until_ms', '<', nowMs),
      ])
    const { numUpdatedRows } = await this.#database.write(
      (db) =>
        db
          .updateTable('messages')
          .set((build) => ({
            attempt: build('attempt', '-', build.ref('is_processing')),
            losses: build('losses', '+', build.ref('is_processing')),
          }))
          .set({ state: 'waiting', is_processing: 0, updated_ms: nowMs, claim: null })
          .where(expired)
          .executeTakeFirst(),
      { soft: true },
    )
    return Number(numUpdatedRows)
  }

  /** How many jobs have stood in their queue since before `sinceMs`. */
  async queuedBefore(type: JobType, sinceMs: number): Promise<number> {
    const row = await this.#database.db
      .selectFrom('messages')
      .select((build) => build.fn.countAll<number | string>().as('count'))
      .where('state', '=', literal('queued'))
      .where('type', '=', type)
      .where('claim_until_ms', '<', sinceMs)
      .executeTakeFirst()
    return Number(row?.count ?? 0)
  }

  /** Puts back jobs that have stood in a queue since before `sinceMs`: it has lost them. */
  async requeueLost(type: JobType, sinceMs: number): Promise<number> {
    const { numUpdatedRows } = await this.#database.write(
      (db) =>
        db
          .updateTable('messages')
          .set({ state: 'waiting', is_processing: 0, updated_ms: this.#clock.now() })
          .where('state', '=', literal('queued'))
          .where('type', '=', type)
          .where('claim_until_ms', '<', sinceMs)
          .executeTakeFirst(),
      { soft: true },
    )
    return Number(numUpdatedRows)
  }

  /** Claims a job for a worker. Undefined: it has ended, or is somebody else's, or waits again. */
  begin(id: string, run: number, claimMs: number): Promise<ClaimedJob | undefined> {
    return this.#begin({ id, run, claimMs })
  }

  /** One statement for many: what they return costs more than what they change. */
  async #beginAll(wanted: readonly Wanted[]): Promise<readonly (ClaimedJob | undefined)[]> {
    const claim = randomToken(12)
    const nowMs = this.#clock.now()
    const begun = new Map<string, ClaimedJob>()
    for (const [run, own] of Map.groupBy(wanted, (one) => one.run)) {
      const untilMs = nowMs + Math.max(...own.map(({ claimMs }) => claimMs))
      const rows = await this.#database.write(
        (db) =>
          db
            .updateTable('messages')
            .set((build) => ({ attempt: build('attempt', '+', 1), state: 'working' }))
            .set({ is_processing: 1, claim, claim_until_ms: untilMs, updated_ms: nowMs })
            .where(this.#idIn(own.map(({ id }) => id)))
            .where('run', '=', run)
            .where('state', 'in', ['publishing', 'queued'])
            .returningAll()
            .execute(),
        { soft: true },
      )
      for (const row of rows) begun.set(`${row.id} ${run}`, { job: toJob(row), claim })
    }
    return wanted.map(({ id, run }) => {
      const found = begun.get(`${id} ${run}`)
      // A message that came twice at one time begins its job once.
      begun.delete(`${id} ${run}`)
      return found
    })
  }

  /** The same statement however many ids there are, so that it is prepared once. */
  #idIn(ids: readonly string[]) {
    return this.#database.kind === 'postgres'
      ? sql<boolean>`id = any(${ids})`
      : sql<boolean>`id in (select value from json_each(${JSON.stringify(ids)}))`
  }

  /** Lengthens a claim; false when it is lost, because the job was cancelled or is another's. */
  async extend({ job, claim }: ClaimedJob, claimMs: number): Promise<boolean> {
    const { numUpdatedRows } = await this.#database.write(
      (db) =>
        db
          .updateTable('messages')
          .set({ claim_until_ms: this.#clock.now() + claimMs })
          .where('id', '=', job.id)
          .where('claim', '=', claim)
          .executeTakeFirst(),
      { soft: true },
    )
    return numUpdatedRows > 0n
  }

  /** Puts a job back whose worker stops; the attempt does not count. */
  async release({ job, claim }: ClaimedJob): Promise<void> {
    await this.#database.write(
      (db) =>
        db
          .updateTable('messages')
          .set((build) => ({
            attempt: build('attempt', '-', 1),
            state: 'waiting',
            is_processing: 0,
          }))
          .set({ claim: null, claim_until_ms: 0, updated_ms: this.#clock.now() })
          .where('id', '=', job.id)
          .where('claim', '=', claim)
          .execute(),
      { soft: true },
    )
  }

  /**
   * Notes how an attempt ended, and its callback, both or neither. False when the claim was lost:
   * then nothing is noted.
   */
  async finish(
    { job, claim }: ClaimedJob,
    ending: Ending,
    delivery: NewDelivery | undefined,
  ): Promise<boolean> {
    return this.#database.write(async (transaction) => {
      const nowMs = this.#clock.now()
      const row = { ...endingRow(ending, job, nowMs), updated_ms: nowMs }
      const finish = this.#finishing(ending.kind, Object.keys(row))
      const { numAffectedRows } = await finish(transaction, { ...row, id: job.id, wanted: claim })
      if (numAffectedRows === 0n) return false
      if (delivery)
        await transaction
          .insertInto('deliveries')
          .values(deliveryRow(delivery, job, nowMs))
          .onConflict((conflict) => conflict.column('id').doNothing())
          .execute()
      return true
    })
  }

  /** The statement for an ending of that kind: all of a kind change the same columns. */
  #finishing(kind: Ending['kind'], columns: readonly string[]): Finish {
    const known = this.#finishes.get(kind)
    if (known) return known
    const finish: Finish = prepared((named) =>
      this.#database.db
        .updateTable('messages')
        .set(Object.fromEntries(columns.map((column) => [column, named(column)])))
        .set({ is_processing: 0, claim: null, claim_until_ms: 0 })
        .where('id', '=', named<string>('id'))
        .where('claim', '=', named<string>('wanted'))
        .compile(),
    )
    this.#finishes.set(kind, finish)
    return finish
  }

  /** Hops from owner to owner along the index, whatever number of jobs each has. */
  async #ownersInTurn(type: JobType): Promise<readonly string[]> {
    const { rows } = await sql<{ owner: string }>`
      with recursive owners(owner) as (
        select min(owner_id) from messages where state = 'waiting' and type = ${type}
        union all
        select (select min(owner_id) from messages
          where state = 'waiting' and type = ${type} and owner_id > owners.owner)
        from owners where owners.owner is not null)
      select owner from owners where owner is not null limit ${ownersMax}`.execute(
      this.#database.db,
    )
    const last = this.#lastOwner.get(type) ?? ''
    const owners = rows.map(({ owner }) => owner)
    return [...owners.filter((owner) => owner > last), ...owners.filter((owner) => owner <= last)]
  }

  async #claimOf(
    owner: string,
    type: JobType,
    count: number,
    claimMs: number,
  ): Promise<readonly ClaimedJob[]> {
    const claim = randomToken(12)
    const nowMs = this.#clock.now()
    const lock = this.#database.kind === 'postgres'
    const rows = await this.#database.write(
      (db) =>
        db
          .updateTable('messages')
          .set({ state: 'publishing', claim, claim_until_ms: nowMs + claimMs, updated_ms: nowMs })
          .where('id', 'in', (build) =>
            build
              .selectFrom('messages')
              .select('id')
              .where('state', '=', literal('waiting'))
              .where('type', '=', type)
              .where('owner_id', '=', owner)
              .orderBy('priority', 'desc')
              .orderBy('due_ms')
              .orderBy('id')
              .limit(count)
              .$if(lock, (query) => query.forUpdate().skipLocked()),
          )
          .returningAll()
          .execute(),
      { soft: true },
    )
    return rows.map((row) => ({ job: toJob(row), claim }))
  }
}

/** The highest priority first, then what was due first. */
function byTurn({ job: one }: ClaimedJob, { job: other }: ClaimedJob): number {
  return other.priority - one.priority || one.dueMs - other.dueMs || (one.id < other.id ? -1 : 1)
}

/** The first of each, then the second of each, and so on. */
function interleave(groups: readonly (readonly ClaimedJob[])[]): readonly ClaimedJob[] {
  const most = Math.max(0, ...groups.map(({ length }) => length))
  return Array.from({ length: most }, (_, at) => groups.flatMap((group) => group[at] ?? [])).flat()
}
