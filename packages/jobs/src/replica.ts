import type { Clock, Log } from '@drover/kernel'
import type { QueueEngine } from '@drover/queue'
import type { FastifyInstance } from 'fastify'
import { Setup } from './accounts/setup.ts'
import { type ApiOptions, apiDefaults } from './api/options.ts'
import { createJobsServer } from './api/server.ts'
import { Submitter } from './api/submit.ts'
import { ensureTopics } from './pipeline/topics.ts'
import type { Stores } from './stores.ts'

/** What one API replica works with. The engine and the stores stay the caller's. */
export interface ReplicaParts {
  readonly stores: Stores
  readonly engine: QueueEngine
  readonly clock: Clock
  readonly log: Log
  readonly api?: Partial<ApiOptions>
  /** Lets the first admin in by `POST /v1/setup`; every replica has to be given the same. */
  readonly setupToken?: string
}

/** Returns one API replica, not listening yet; many may run on one store and queue. */
export async function createReplica(parts: ReplicaParts): Promise<FastifyInstance> {
  const { stores, engine, clock, log } = parts
  const options = { ...apiDefaults, ...parts.api }
  await ensureTopics(engine)
  const setup = new Setup(stores.accounts, clock)
  if (parts.setupToken !== undefined) await setup.offer(parts.setupToken)
  const submitter = new Submitter(engine, stores, clock, options)
  return createJobsServer({ ...stores, setup, submitter, clock, log, options })
}
