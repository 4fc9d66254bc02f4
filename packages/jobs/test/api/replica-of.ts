import { type Clock, type Log, silentLog, systemClock } from '@drover/kernel'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import type { AccountOptions } from '../../src/accounts/options.ts'
import type { ApiOptions } from '../../src/api/options.ts'
import { fault } from '../../src/errors.ts'
import { createRecorder } from '../../src/pipeline/recorder.ts'
import { createReplica } from '../../src/replica.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrations.ts'
import { type Stores, storesOver } from '../../src/stores.ts'
import { createMemoryEngine } from '../memory-engine.ts'

/** One replica over a store and a queue in memory; a recorder where a test asks for it. */
export interface TestReplica {
  readonly server: FastifyInstance
  readonly stores: Stores
  /** While set, the store does not answer. */
  readonly store: { away: boolean }
  readonly engine: ReturnType<typeof createMemoryEngine>
  /** Makes an account and returns the headers of its requests. */
  user(email: string, role?: 'user' | 'admin'): Promise<User>
  ask(user: User | undefined, method: 'GET' | 'POST' | 'DELETE', url: string, body?: object): Ask
  /** Moves everything from the message queue to the store. */
  record(): Promise<void>
}

type Ask = Promise<LightMyRequestResponse>

export interface User {
  readonly id: string
  readonly email: string
  readonly token: string
}

export interface ReplicaOptions {
  readonly api?: Partial<ApiOptions>
  readonly accounts?: Partial<AccountOptions>
  readonly clock?: Clock
  readonly log?: Log
  readonly setupToken?: string
  /** Default one in memory. */
  readonly location?: string
}

/** Starts a replica that the test's end stops. */
export async function replicaOf(
  context: { after(fn: () => Promise<void>): void },
  options: ReplicaOptions = {},
): Promise<TestReplica> {
  const { clock = systemClock, log = silentLog, api = {}, accounts = {} } = options
  const { location = ':memory:' } = options
  const store = { away: false }
  const stores = storesOver(await open(location, store), clock, accounts)
  const engine = createMemoryEngine(clock)
  const setup = options.setupToken === undefined ? {} : { setupToken: options.setupToken }
  const server = await createReplica({ stores, engine, clock, log, api, ...setup })
  context.after(async () => {
    await server.close()
    await stores.close()
  })
  return {
    server,
    stores,
    store,
    engine,
    async user(email, role = 'user') {
      const id = await stores.accounts.register(email, 'secret', role)
      return { id, email, token: await stores.accounts.tokens.issue(id) }
    },
    ask(user, method, url, body) {
      const authorization = user === undefined ? {} : { authorization: `Bearer ${user.token}` }
      const payload = body === undefined ? {} : { payload: body }
      return server.inject({ method, url, headers: authorization, ...payload })
    },
    async record() {
      const done = Promise.withResolvers<void>()
      const recorder = createRecorder({
        ...{ engine, jobs: stores.jobs, recordMax: 10_000, clock: systemClock, log },
        random: { next: () => 0, integer: (least) => least, pick: ([first]) => first },
        onRecorded: done.resolve,
      })
      await recorder.start()
      await done.promise
      await recorder.stop()
    },
  }
}

async function open(location: string, store: { away: boolean }): Promise<Database> {
  const database = openDatabase(location)
  await migrate(database)
  const db = new Proxy(database.db, {
    get(target, name) {
      if (store.away) throw fault('STORE_UNAVAILABLE', 'the store does not answer')
      const value = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { ...database, db }
}
