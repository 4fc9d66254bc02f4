import type { Clock } from '@drover/kernel'
import { sql } from 'kysely'
import type { HostTurns } from '../fetching/host-turns.ts'
import type { Database } from './database.ts'

/** Gives out the turns of hosts to all workers of the store, whatever process they are in. */
export class StoredTurns implements HostTurns {
  readonly #database: Database
  readonly #clock: Clock

  constructor(database: Database, clock: Clock) {
    this.#database = database
    this.#clock = clock
  }

  async reserve(host: string, delayMs: number): Promise<number> {
    const nowMs = this.#clock.now()
    const freeAtMs = nowMs + delayMs
    const later = sql<number>`case when hosts.free_at_ms > ${nowMs} then hosts.free_at_ms
      else ${nowMs} end + ${delayMs}`
    const row = await this.#database.db
      .insertInto('hosts')
      .values({ host, free_at_ms: freeAtMs })
      .onConflict((conflict) => conflict.column('host').doUpdateSet({ free_at_ms: later }))
      .returning('free_at_ms')
      .executeTakeFirst()
    return Math.max(0, (row?.free_at_ms ?? freeAtMs) - delayMs - nowMs)
  }

  /** Forgets the hosts that may be asked at once. */
  async tidy(): Promise<void> {
    const query = this.#database.db.deleteFrom('hosts')
    await query.where('free_at_ms', '<', this.#clock.now()).execute()
  }
}
