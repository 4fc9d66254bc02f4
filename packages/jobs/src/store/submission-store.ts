import type { Clock } from '@drover/kernel'
import { sql } from 'kysely'
import { fault } from '../errors.ts'
import type { Database } from './database.ts'

/** What is known of submissions before their jobs are recorded: keys, and how many came lately. */
export class SubmissionStore {
  readonly #database: Database
  readonly #clock: Clock

  constructor(database: Database, clock: Clock) {
    this.#database = database
    this.#clock = clock
  }

  /**
   * Notes that the account used a key for the request of that fingerprint. False: it did before, for
   * the same one. Throws KEY_REUSED when it was another.
   */
  async takeKey(ownerId: string, key: string, fingerprint: string): Promise<boolean> {
    const { db } = this.#database
    const { numInsertedOrUpdatedRows } = await db
      .insertInto('idempotency_keys')
      .values({ owner_id: ownerId, key, fingerprint, created_ms: this.#clock.now() })
      .onConflict((conflict) => conflict.columns(['owner_id', 'key']).doNothing())
      .executeTakeFirst()
    if (numInsertedOrUpdatedRows !== 0n) return true
    const before = await db
      .selectFrom('idempotency_keys')
      .select('fingerprint')
      .where('owner_id', '=', ownerId)
      .where('key', '=', key)
      .executeTakeFirst()
    if (before !== undefined && before.fingerprint !== fingerprint)
      throw fault('KEY_REUSED', 'the idempotency key was used for another request')
    return false
  }

  /** Frees a key whose request was refused after all. */
  async dropKey(ownerId: string, key: string): Promise<void> {
    await this.#database.db
      .deleteFrom('idempotency_keys')
      .where('owner_id', '=', ownerId)
      .where('key', '=', key)
      .execute()
  }

  /** Adds what one replica accepted in a minute; returns what all of them did. */
  async addToMinute(ownerId: string, minuteMs: number, count: number): Promise<number> {
    const row = await this.#database.db
      .insertInto('submission_counts')
      .values({ owner_id: ownerId, minute_ms: minuteMs, count })
      .onConflict((conflict) =>
        conflict
          .columns(['owner_id', 'minute_ms'])
          .doUpdateSet({ count: sql<number>`submission_counts.count + ${count}` }),
      )
      .returning('count')
      .executeTakeFirstOrThrow()
    return Number(row.count)
  }

  /** Forgets keys older than `keysMs`, and the counts of minutes that are over. */
  async tidy(keysMs: number): Promise<void> {
    const nowMs = this.#clock.now()
    const { db } = this.#database
    await db
      .deleteFrom('idempotency_keys')
      .where('created_ms', '<', nowMs - keysMs)
      .execute()
    await db
      .deleteFrom('submission_counts')
      .where('minute_ms', '<', nowMs - 120_000)
      .execute()
  }
}
