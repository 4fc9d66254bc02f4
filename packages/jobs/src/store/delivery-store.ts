import { type Clock, randomToken } from '@drover/kernel'
import { type Selectable, sql } from 'kysely'
import { fault } from '../errors.ts'
import type { Database } from './database.ts'
import type { DeliveryState, Tables } from './tables.ts'

/** One callback as the store knows it. */
export interface Delivery {
  /** The webhook id, the same for every attempt. */
  readonly id: string
  readonly jobId: string
  readonly ownerId: string
  readonly url: string
  readonly body: string
  readonly state: DeliveryState
  readonly attempt: number
  readonly dueMs: number
  readonly createdMs: number
  readonly traceparent?: string | undefined
}

/** What came of one attempt. */
export interface DeliveryAttempt {
  readonly attempt: number
  readonly atMs: number
  readonly tookMs: number
  readonly status: number | undefined
  /** The beginning of the receiver's answer. */
  readonly answer: string | undefined
  readonly error: string | undefined
}

/** A callback that one sender has to itself until the claim ends. */
export interface ClaimedDelivery {
  readonly delivery: Delivery
  readonly claim: string
  /** The secrets of its owner that are valid now, the newest first. */
  readonly secrets: readonly string[]
}

/** Written into the statement: SQLite uses a partial index only for what it can read. */
const dueStates = [sql.lit<DeliveryState>('pending'), sql.lit<DeliveryState>('delivering')]

const attemptNames = [
  ...(['delivery_id', 'attempt', 'at_ms', 'took_ms', 'status'] as const),
  ...(['answer', 'error'] as const),
] as const

/** Callbacks that one look for due ones goes through. */
const dueMax = 1_000

/** The callbacks of all accounts. */
export class DeliveryStore {
  readonly #database: Database
  readonly #clock: Clock

  constructor(database: Database, clock: Clock) {
    this.#database = database
    this.#clock = clock
  }

  /**
   * Claims up to `count` callbacks that are due, or whose sender died, the earliest first: at most
   * `each` of one receiver, and none of those in `except`.
   */
  async claimDue(
    count: number,
    claimMs: number,
    { each = count, except = [] }: { each?: number; except?: readonly string[] } = {},
  ): Promise<readonly ClaimedDelivery[]> {
    const claim = randomToken(12)
    const nowMs = this.#clock.now()
    const query = this.#database.db
      .updateTable('deliveries')
      .set((build) => ({ attempt: build('attempt', '+', 1), state: 'delivering', claim }))
      .set({ claim_until_ms: nowMs + claimMs, due_ms: nowMs + claimMs })
      .where('id', 'in', this.#dueIds(count, each, except))
      // Again, for the row that another sender has claimed meanwhile.
      .where('state', 'in', dueStates)
      .where('due_ms', '<=', nowMs)
      .returningAll()
    // A claim that is forgotten sends once more, under the same id.
    const [result] = await this.#database.write([query.compile()], { soft: true })
    const rows = result?.rows ?? []
    const secrets = await this.#secretsOf([...new Set(rows.map(({ owner_id }) => owner_id))])
    return rows.map((row) => ({
      delivery: toDelivery(row),
      claim,
      secrets: secrets.get(row.owner_id) ?? [],
    }))
  }

  #dueIds(count: number, each: number, except: readonly string[]) {
    const { db } = this.#database
    const due = db
      .selectFrom('deliveries')
      .select(['id', 'due_ms', 'receiver'])
      .where('state', 'in', dueStates)
      .where('due_ms', '<=', this.#clock.now())
      .$if(except.length > 0, (query) => query.where('receiver', 'not in', except))
      .orderBy('due_ms')
      .limit(dueMax)
    const counted = db
      .selectFrom(due.as('due'))
      .select(['id', 'due_ms'])
      .select(sql<number>`row_number() over (partition by receiver order by due_ms)`.as('turn'))
    return db
      .selectFrom(counted.as('counted'))
      .select('id')
      .where('turn', '<=', each)
      .orderBy('due_ms')
      .limit(count)
  }

  /** Notes an attempt, and what becomes of the callback. False when the claim was lost. */
  async note(
    { delivery, claim }: ClaimedDelivery,
    attempt: Omit<DeliveryAttempt, 'attempt'>,
    next: { state: DeliveryState; dueMs: number },
  ): Promise<boolean> {
    const { db } = this.#database
    const told = db
      .insertInto('delivery_attempts')
      .columns(attemptNames)
      .expression((build) =>
        build
          .selectFrom('deliveries')
          .select([
            'id',
            'attempt',
            sql.val(attempt.atMs).as('at_ms'),
            sql.val(attempt.tookMs).as('took_ms'),
            sql.val(attempt.status ?? null).as('status'),
            sql.val(attempt.answer ?? null).as('answer'),
            sql.val(attempt.error ?? null).as('error'),
          ])
          .where('id', '=', delivery.id)
          .where('claim', '=', claim),
      )
      .onConflict((conflict) => conflict.columns(['delivery_id', 'attempt']).doNothing())
    const ended = db
      .updateTable('deliveries')
      .set({ state: next.state, due_ms: next.dueMs, claim: null, claim_until_ms: 0 })
      .where('id', '=', delivery.id)
      .where('claim', '=', claim)
    const [, result] = await this.#database.write([told.compile(), ended.compile()])
    return (result?.numAffectedRows ?? 0n) > 0n
  }

  /** Hands a callback back untried, until `dueMs`. */
  async postpone({ delivery, claim }: ClaimedDelivery, dueMs: number): Promise<void> {
    const query = this.#database.db
      .updateTable('deliveries')
      .set((build) => ({ attempt: build('attempt', '-', 1), state: 'pending', due_ms: dueMs }))
      .set({ claim: null, claim_until_ms: 0 })
      .where('id', '=', delivery.id)
      .where('claim', '=', claim)
    await this.#database.write([query.compile()], { soft: true })
  }

  /** The newest first; those of one owner, or all. */
  async list(filter: {
    ownerId: string | undefined
    jobId?: string | undefined
    state?: DeliveryState | undefined
    after?: { readonly createdMs: number; readonly id: string } | undefined
    limit: number
  }): Promise<readonly Delivery[]> {
    let query = this.#database.db.selectFrom('deliveries').selectAll()
    if (filter.ownerId !== undefined) query = query.where('owner_id', '=', filter.ownerId)
    if (filter.jobId !== undefined) query = query.where('job_id', '=', filter.jobId)
    if (filter.state !== undefined) query = query.where('state', '=', filter.state)
    const { after, limit } = filter
    if (after !== undefined)
      query = query.where(sql<boolean>`(created_ms, id) < (${after.createdMs}, ${after.id})`)
    const ordered = query.orderBy('created_ms', 'desc').orderBy('id', 'desc')
    return (await ordered.limit(limit).execute()).map(toDelivery)
  }

  /** How many callbacks are in which state: of one owner, or all. */
  async counts(ownerId?: string): Promise<Record<string, number>> {
    const rows = await this.#database.db
      .selectFrom('deliveries')
      .select((build) => ['state', build.fn.countAll<number | string>().as('count')])
      .$if(ownerId !== undefined, (query) => query.where('owner_id', '=', ownerId ?? ''))
      .groupBy('state')
      .execute()
    return Object.fromEntries(rows.map(({ state, count }) => [state, Number(count)]))
  }

  /** Throws DELIVERY_UNKNOWN; also for one of somebody else than `ownerId`, when that is given. */
  async delivery(
    id: string,
    ownerId?: string,
  ): Promise<Delivery & { readonly attempts: readonly DeliveryAttempt[] }> {
    const { db } = this.#database
    const row = await db
      .selectFrom('deliveries')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirst()
    if (!row || (ownerId !== undefined && row.owner_id !== ownerId))
      throw fault('DELIVERY_UNKNOWN', `there is no callback ${id}`)
    const attempts = await db
      .selectFrom('delivery_attempts')
      .selectAll()
      .where('delivery_id', '=', id)
      .orderBy('attempt')
      .execute()
    return { ...toDelivery(row), attempts: attempts.map(toAttempt) }
  }

  /** Sends a callback once more, under the same id, whatever came of it. */
  async replay(id: string, ownerId?: string): Promise<void> {
    await this.delivery(id, ownerId)
    await this.#database.db
      .updateTable('deliveries')
      .set({ state: 'pending', due_ms: this.#clock.now(), claim: null, claim_until_ms: 0 })
      .where('id', '=', id)
      .execute()
  }

  async #secretsOf(ownerIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    if (ownerIds.length === 0) return new Map()
    const nowMs = this.#clock.now()
    const rows = await this.#database.db
      .selectFrom('users')
      .select(['id', 'webhook_secret', 'webhook_secret_before', 'webhook_before_until_ms'])
      .where('id', 'in', ownerIds)
      .execute()
    return new Map(
      rows.map((row) => {
        const before = row.webhook_before_until_ms > nowMs ? row.webhook_secret_before : null
        return [row.id, before === null ? [row.webhook_secret] : [row.webhook_secret, before]]
      }),
    )
  }
}

function toDelivery(row: Selectable<Tables['deliveries']>): Delivery {
  return {
    id: row.id,
    jobId: row.job_id,
    ownerId: row.owner_id,
    url: row.url,
    body: row.body,
    state: row.state,
    attempt: row.attempt,
    dueMs: row.due_ms,
    createdMs: row.created_ms,
    traceparent: row.traceparent ?? undefined,
  }
}

function toAttempt(row: Selectable<Tables['delivery_attempts']>): DeliveryAttempt {
  return {
    attempt: row.attempt,
    atMs: row.at_ms,
    tookMs: row.took_ms,
    status: row.status ?? undefined,
    answer: row.answer ?? undefined,
    error: row.error ?? undefined,
  }
}
