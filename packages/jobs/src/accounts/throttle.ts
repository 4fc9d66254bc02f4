import { type Clock, Fault } from '@drover/kernel'
import { sql } from 'kysely'
import { jobsFaults } from '../errors.ts'
import type { Database } from '../store/database.ts'
import type { AccountOptions } from './options.ts'

/** Failures older than this count no more, in ms. */
const forgottenMs = 3_600_000

/** LOGIN_THROTTLED, with how long it lasts. */
export class LoginThrottled extends Fault<'LOGIN_THROTTLED'> {
  readonly waitMs: number

  constructor(waitMs: number) {
    const seconds = Math.ceil(waitMs / 1_000)
    super('LOGIN_THROTTLED', jobsFaults.LOGIN_THROTTLED, `too many failures; wait ${seconds} s`)
    this.waitMs = waitMs
  }
}

/** Whose wrong passwords count together, and how many there may be before a wait. */
export interface Counted {
  readonly key: string
  readonly most: number
}

/** Counts wrong passwords in the store, so that asking another replica does not help. */
export class LoginThrottle {
  readonly #database: Database
  readonly #clock: Clock
  readonly #options: AccountOptions

  constructor(database: Database, clock: Clock, options: AccountOptions) {
    this.#database = database
    this.#clock = clock
    this.#options = options
  }

  /**
   * Notes an attempt for each of `counted` before its password is looked at, so that many at once gain
   * nothing. Throws LoginThrottled for those that are to wait.
   */
  async enter(counted: readonly Counted[]): Promise<void> {
    await this.#check(counted.map(({ key }) => key))
    for (const { key, most } of counted) {
      const nowMs = this.#clock.now()
      const { failures } = await this.#count(key, nowMs)
      if (failures > most) await this.#takeTurn(key, failures - most, nowMs)
    }
  }

  /** Takes an attempt back, after the right password. */
  async forgive(keys: readonly string[]): Promise<void> {
    await this.#database.db
      .updateTable('login_failures')
      .set({ failures: sql`case when failures > 0 then failures - 1 else 0 end`, until_ms: 0 })
      .where('key', 'in', keys)
      .execute()
  }

  /** Forgets the failures of `key`. */
  async clear(key: string): Promise<void> {
    await this.#database.db.deleteFrom('login_failures').where('key', '=', key).execute()
  }

  /** Forgets what is too old to count. */
  async tidy(): Promise<void> {
    await this.#database.db
      .deleteFrom('login_failures')
      .where('last_ms', '<', this.#clock.now() - forgottenMs)
      .execute()
  }

  async #check(keys: readonly string[]): Promise<void> {
    const rows = await this.#database.db
      .selectFrom('login_failures')
      .select('until_ms')
      .where('key', 'in', keys)
      .execute()
    const waitMs = Math.max(0, ...rows.map((row) => row.until_ms)) - this.#clock.now()
    if (waitMs > 0) throw new LoginThrottled(waitMs)
  }

  /** Of several attempts at one time, one alone gets past here, and sets the wait for the next. */
  async #takeTurn(key: string, tooMany: number, nowMs: number): Promise<void> {
    const { throttleFirstMs, throttleMostMs } = this.#options
    const growth = 2 ** Math.min(tooMany - 1, 30)
    const waitMs = Math.min(throttleMostMs, throttleFirstMs * growth)
    const { numUpdatedRows } = await this.#database.db
      .updateTable('login_failures')
      .set({ until_ms: nowMs + waitMs })
      .where('key', '=', key)
      .where('until_ms', '<=', nowMs)
      .executeTakeFirst()
    if (numUpdatedRows === 0n) throw new LoginThrottled(waitMs)
  }

  #count(key: string, nowMs: number): Promise<{ failures: number }> {
    const since = nowMs - forgottenMs
    return this.#database.db
      .insertInto('login_failures')
      .values({ key, failures: 1, until_ms: 0, last_ms: nowMs })
      .onConflict((conflict) =>
        conflict.column('key').doUpdateSet({
          failures: sql<number>`case when login_failures.last_ms < ${since} then 1
            else login_failures.failures + 1 end`,
          last_ms: nowMs,
        }),
      )
      .returning('failures')
      .executeTakeFirstOrThrow()
  }
}
