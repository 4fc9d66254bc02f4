import { type Clock, randomToken } from '@drover/kernel'
import { CompiledQuery, type ExpressionBuilder, sql } from 'kysely'
import { gather } from '../gather.ts'
import type { Job } from '../job.ts'
import type { JobType } from '../reading/read-page.ts'
import { claimStatements, type Noted, type PublishedRow } from './claim-statements.ts'
import type { Database } from './database.ts'
import { type Ending, endingRow, type NewDelivery } from './endings.ts'
import { toJob } from './rows.ts'
import type { JobState, Tables } from './tables.ts'

/** One job that a worker has to itself until the claim ends. */
export interface ClaimedJob {
  readonly job: Job
  readonly claim: string
}

/** One job that the publisher has to itself until the claim ends. */
export interface PublishedJob {
  readonly id: string
  readonly run: number
  /** How often a worker died over it. */
  readonly losses: number
  readonly ownerId: string
  readonly priority: number
  readonly claim: string
}

interface Wanted {
  readonly id: string
  readonly run: number
  readonly claimMs: number
}

/** A type of which jobs wait for the publisher. */
export interface WaitingType {
  readonly type: JobType
  /** How many jobs are between the publisher and their end. */
  readonly underWay: number
  readonly owners: readonly string[]
}

interface SurveyRow {
  readonly type: JobType
  readonly owner: string
  readonly count: number | string
}

interface Share {
  readonly owner: string
  readonly share: number
}

interface Longer extends ClaimedJob {
  readonly claimMs: number
}

/** A state written into the statement: SQLite uses a partial index only for what it can read. */
const literal = <State extends JobState>(state: State) => sql.lit(state)

const underWayStates = [literal('publishing'), literal('queued'), literal('working')]

/** Owners that are served in one round of the publisher. */
const ownersMax = 1_000

const underWayList = `'publishing', 'queued', 'working'`

/** Hops from owner to owner along the index, whatever number of jobs each has. */
const waitingOwners = CompiledQuery.raw(`
  with recursive owners(type, owner) as (
    select types.type, (select min(owner_id) from messages
      where state = 'waiting' and messages.type = types.type)
    from (select 1 as type union all select 2 union all select 3) as types
    union all
    select owners.type, (select min(owner_id) from messages
      where state = 'waiting' and messages.type = owners.type and owner_id > owners.owner)
    from owners where owners.owner is not null)
  select type, owner from owners where owner is not null limit ${3 * ownersMax}`) as CompiledQuery<SurveyRow>

const underWayByType = CompiledQuery.raw(`
  select type, count(*) as count from messages
  where state in (${underWayList}) group by type`) as CompiledQuery<SurveyRow>

/** The other half of the jobs: who works on which. Every step is one statement or transaction. */
export class ClaimStore {
  readonly #database: Database
  readonly #clock: Clock
  /** Where the last round ended, so that every owner has its turn. */
  readonly #lastOwner = new Map<JobType, string>()

  readonly #statements: ReturnType<typeof claimStatements>
  readonly #begin = gather((wanted: readonly Wanted[]) => this.#beginAll(wanted))
  readonly #finish = gather((endings: readonly Noted[]) => this.#finishAll(endings))
  readonly #extend = gather((claimed: readonly Longer[]) => this.#extendAll(claimed))

  constructor(database: Database, clock: Clock) {
    this.#database = database
    this.#clock = clock
    this.#statements = claimStatements(database.kind)
  }

  /**
   * What there is to publish: the types of which jobs wait, with their owners, and how many jobs of
   * each are between the publisher and their end. Cheap, so that the publisher may look often.
   */
  async survey(): Promise<readonly WaitingType[]> {
    const [waiting, underWay] = await this.#database.read<SurveyRow>([
      waitingOwners,
      underWayByType,
    ])
    const owners = Map.groupBy(waiting?.rows ?? [], ({ type }) => type)
    const counts = new Map(underWay?.rows.map(({ type, count }) => [type, Number(count)]))
    return [...owners].map(([type, rows]) => ({
      type,
      underWay: counts.get(type) ?? 0,
      owners: rows.map(({ owner }) => owner),
    }))
  }

  /** Makes delayed jobs that are due wait for the publisher, and returns how many. */
  async wakeDelayed(limit: number): Promise<number> {
    const nowMs = this.#clock.now()
    const query = this.#database.db
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
    return this.#change(query)
  }

  /**
   * Claims up to `count` waiting jobs for the publisher: in turns from every one of `owners`, by
   * default all who have some, of each the highest priority first, then the oldest. They come in that
   * order, an owner's after another's.
   */
  async claimWaiting(
    type: JobType,
    count: number,
    claimMs: number,
    owners?: readonly string[],
  ): Promise<readonly PublishedJob[]> {
    let asked = this.#inTurn(type, owners ?? (await this.#waitingOwners(type)))
    const claimed = new Map<string, PublishedJob[]>()
    for (let left = count; left > 0 && asked.length > 0; ) {
      const shares = sharesOf(left, asked)
      this.#lastOwner.set(type, shares.at(-1)?.owner ?? '')
      const found = await this.#claimShares(type, shares, claimMs)
      for (const [index, { owner }] of shares.entries())
        claimed.set(owner, [...(claimed.get(owner) ?? []), ...(found[index] ?? [])])
      left -= found.flat().length
      // Who had less than the share has no more; the others have what is left of the count.
      asked = shares.flatMap(({ owner, share }, index) =>
        (found[index]?.length ?? 0) < share ? [] : [owner],
      )
    }
    return interleave([...claimed.values()])
  }

  async #waitingOwners(type: JobType): Promise<readonly string[]> {
    return (await this.survey()).find((one) => one.type === type)?.owners ?? []
  }

  /** Those behind the one that came last, first. */
  #inTurn(type: JobType, owners: readonly string[]): readonly string[] {
    const last = this.#lastOwner.get(type) ?? ''
    return [...owners.filter((owner) => owner > last), ...owners.filter((owner) => owner <= last)]
  }

  async #claimShares(
    type: JobType,
    shares: readonly Share[],
    claimMs: number,
  ): Promise<readonly (readonly PublishedJob[])[]> {
    const claim = randomToken(12)
    const untilMs = this.#clock.now() + claimMs
    const queries = shares.map(({ owner, share }) =>
      this.#statements.claim(claim, untilMs, type, owner, share),
    )
    const results = await this.#database.write(queries, { soft: true })
    return results.map(({ rows }) => rows.toSorted(byTurn).map((row) => toPublished(row, claim)))
  }

  /** Notes that claimed jobs stand in their queue. One that a worker has begun already stays so. */
  async markQueued(claims: readonly string[]): Promise<void> {
    if (claims.length === 0) return
    const nowMs = this.#clock.now()
    const query = this.#database.db
      .updateTable('messages')
      .set({ state: 'queued', updated_ms: nowMs, claim: null, claim_until_ms: nowMs })
      .where('claim', 'in', claims)
      .where('state', 'in', underWayStates)
      .where('state', '=', literal('publishing'))
    await this.#change(query)
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
    const query = this.#database.db
      .updateTable('messages')
      .set((build) => ({
        attempt: build('attempt', '-', build.ref('is_processing')),
        losses: build('losses', '+', build.ref('is_processing')),
      }))
      .set({ state: 'waiting', is_processing: 0, updated_ms: nowMs, claim: null })
      .where(expired)
    return this.#change(query)
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
    const query = this.#database.db
      .updateTable('messages')
      .set({ state: 'waiting', is_processing: 0, updated_ms: this.#clock.now() })
      .where('state', '=', literal('queued'))
      .where('type', '=', type)
      .where('claim_until_ms', '<', sinceMs)
    return this.#change(query)
  }

  /** Makes a change that would be made again, and returns of how many rows. */
  async #change(query: { compile(): CompiledQuery<unknown> }): Promise<number> {
    const [result] = await this.#database.write([query.compile()], { soft: true })
    return Number(result?.numAffectedRows ?? 0)
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
      const ids = own.map(({ id }) => id)
      const begin = this.#statements.begin(claim, untilMs, nowMs, ids, run)
      const [result] = await this.#database.write([begin], { soft: true })
      for (const row of result?.rows ?? [])
        begun.set(`${row.id} ${run}`, { job: toJob(row), claim })
    }
    return wanted.map(({ id, run }) => {
      const found = begun.get(`${id} ${run}`)
      // A message that came twice at one time begins its job once.
      begun.delete(`${id} ${run}`)
      return found
    })
  }

  /** Lengthens a claim; false when it is lost, because the job was cancelled or is another's. */
  extend(claimed: ClaimedJob, claimMs: number): Promise<boolean> {
    return this.#extend({ ...claimed, claimMs })
  }

  async #extendAll(claimed: readonly Longer[]): Promise<readonly boolean[]> {
    const untilMs = this.#clock.now() + Math.max(...claimed.map(({ claimMs }) => claimMs))
    const extend = this.#statements.extend(claimed, untilMs)
    const [result] = await this.#database.write([extend], { soft: true })
    const held = new Map(result?.rows.map(({ id, claim }) => [id, claim]))
    return claimed.map(({ job, claim }) => held.get(job.id) === claim)
  }

  /** Puts a job back whose worker stops; the attempt does not count. */
  async release({ job, claim }: ClaimedJob): Promise<void> {
    const query = this.#database.db
      .updateTable('messages')
      .set((build) => ({ attempt: build('attempt', '-', 1), state: 'waiting', is_processing: 0 }))
      .set({ claim: null, claim_until_ms: 0, updated_ms: this.#clock.now() })
      .where('id', '=', job.id)
      .where('claim', '=', claim)
    await this.#change(query)
  }

  /**
   * Notes how an attempt ended, and its callback, both or neither. False when the claim was lost:
   * then nothing is noted.
   */
  finish(
    { job, claim }: ClaimedJob,
    ending: Ending,
    delivery: NewDelivery | undefined,
  ): Promise<boolean> {
    const nowMs = this.#clock.now()
    return this.#finish({ job, claim, delivery, nowMs, row: endingRow(ending, job, nowMs) })
  }

  async #finishAll(endings: readonly Noted[]): Promise<readonly boolean[]> {
    const statements = this.#statements.finish(endings)
    const results = await this.#database.write([...statements.before, ...statements.endings])
    const ended = results.slice(statements.before.length)
    const noted = new Set(ended.flatMap(({ rows }) => rows.map(({ id }) => id)))
    return endings.map(({ job }) => noted.has(job.id))
  }
}

/** Divides `count` among the owners; when there are more of them, the first have one each. */
function sharesOf(count: number, owners: readonly string[]): readonly Share[] {
  const some = owners.slice(0, Math.min(count, ownersMax))
  const [each, over] = [Math.floor(count / some.length), count % some.length]
  return some.map((owner, index) => ({ owner, share: each + (index < over ? 1 : 0) }))
}

function toPublished(row: PublishedRow, claim: string): PublishedJob {
  const { id, run, losses, owner_id: ownerId, priority } = row
  return { id, run, losses, ownerId, priority, claim }
}

/** The highest priority first, then what was due first. */
function byTurn(one: PublishedRow, other: PublishedRow): number {
  return other.priority - one.priority || one.due_ms - other.due_ms || (one.id < other.id ? -1 : 1)
}

/** The first of each, then the second of each, and so on. */
function interleave(groups: readonly (readonly PublishedJob[])[]): readonly PublishedJob[] {
  const most = Math.max(0, ...groups.map(({ length }) => length))
  return Array.from({ length: most }, (_, at) => groups.flatMap((group) => group[at] ?? [])).flat()
}
