import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Clock, Fault } from '@drover/kernel'
import { Accounts } from './accounts/accounts.ts'
import { type AccountOptions, accountDefaults } from './accounts/options.ts'
import { fault } from './errors.ts'
import { ClaimStore } from './store/claim-store.ts'
import { type Database, openDatabase } from './store/database.ts'
import { DeliveryStore } from './store/delivery-store.ts'
import { StoredTurns } from './store/host-turns.ts'
import { JobStore } from './store/job-store.ts'
import { migrate } from './store/migrations.ts'
import { RetentionStore } from './store/retention-store.ts'
import { ScheduleStore } from './store/schedule-store.ts'
import { SubmissionStore } from './store/submission-store.ts'

/** Everything that is kept, over one database. */
export interface Stores {
  readonly jobs: JobStore
  readonly claims: ClaimStore
  readonly deliveries: DeliveryStore
  readonly accounts: Accounts
  readonly turns: StoredTurns
  readonly retention: RetentionStore
  readonly schedules: ScheduleStore
  readonly submissions: SubmissionStore
  close(): Promise<void>
}

export interface StoreOptions {
  /** `postgres://…`, or the path of a file for SQLite. */
  readonly store: string
  readonly clock: Clock
  /** The most connections to PostgreSQL. Default 4. */
  readonly connections?: number
  readonly accounts?: Partial<AccountOptions>
}

/**
 * Opens the store and brings its schema up to date. A file is made for its owner alone: it has keys and
 * secrets. Throws STORE_UNAVAILABLE, STORE_TOO_NEW, STORE_INVALID.
 */
export async function openStores(options: StoreOptions): Promise<Stores> {
  const { store, clock, connections } = options
  const isFile = !/^postgres(ql)?:/.test(store) && store !== ':memory:'
  try {
    if (isFile) makeFile(store)
    const database = openDatabase(store, connections)
    await migrate(database).catch(async (error) => {
      await database.db.destroy()
      throw error
    })
    return storesOver(database, clock, options.accounts)
  } catch (cause) {
    // What the system and the databases refuse has a code; a mistake of ours has none.
    if (cause instanceof Fault || (cause as { code?: unknown }).code === undefined) throw cause
    // The address of PostgreSQL may hold a password.
    const name = isFile ? `the store ${store}` : 'the store'
    throw fault('STORE_INVALID', `${name} cannot be used: ${(cause as Error).message}`, { cause })
  }
}

function makeFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  closeSync(openSync(path, 'a', 0o600))
}

/** Returns the stores over a database whose schema is up to date. */
export function storesOver(
  database: Database,
  clock: Clock,
  accounts: Partial<AccountOptions> = {},
): Stores {
  return {
    jobs: new JobStore(database, clock),
    claims: new ClaimStore(database, clock),
    deliveries: new DeliveryStore(database, clock),
    accounts: new Accounts(database, clock, { ...accountDefaults, ...accounts }),
    turns: new StoredTurns(database, clock),
    retention: new RetentionStore(database, clock),
    schedules: new ScheduleStore(database, clock),
    submissions: new SubmissionStore(database, clock),
    close: () => database.db.destroy(),
  }
}
