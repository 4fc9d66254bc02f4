import { join } from 'node:path'
import {
  createHttpServer,
  type Log,
  parseAddress,
  randomToken,
  systemClock,
  systemRandom,
} from '@drover/kernel'
import { connectQueue, type QueueEngine, startQueue } from '@drover/queue'
import type { ApiOptions } from './api/options.ts'
import { createPipeline, type Role, roles } from './pipeline.ts'
import { createReplica } from './replica.ts'
import { openStores, type Stores } from './stores.ts'

/** The API, or one step of the pipeline. */
export type Part = 'api' | Role

/** Every part, for one process that is the whole service. */
export const parts: readonly Part[] = ['api', ...roles]

/** What the service, or some of its parts, are started with. */
export interface JobsSettings {
  /** What this process does. Default all. */
  readonly parts?: readonly Part[]
  /** HOST:PORT of the API; without it there is only `GET /v1/health`. */
  readonly listen: string
  /** Where the store and the queue are kept, unless they are elsewhere. */
  readonly data: string
  /** `postgres://…`, or the path of a file. Default a file in the data folder. */
  readonly store?: string
  /** HOST:PORT of a queue that runs already, by its binary protocol. Default one of its own. */
  readonly queue?: string
  /** Addresses that may be fetched although they are not public. */
  readonly allow?: readonly string[]
  /** The first admin, unless there is one. */
  readonly admin?: { readonly email: string; readonly password: string }
  readonly api?: Partial<ApiOptions>
  readonly log: Log
}

/** The service, running. */
export interface RunningJobs {
  readonly url: string
  /** Lets the first admin in by `POST /v1/setup`; undefined when there is one. */
  readonly setupToken: string | undefined
  stop(): Promise<void>
}

type Stop = () => Promise<unknown>

/**
 * Starts queue, store, pipeline and one API replica in this process. When something fails, what is
 * up already is stopped again.
 */
export async function startJobs(settings: JobsSettings): Promise<RunningJobs> {
  const up: Stop[] = []
  const stop = async () => {
    for (const down of up.splice(0).reverse()) await down()
  }
  try {
    const engine = await openEngine(settings, up)
    const store = settings.store ?? join(settings.data, 'jobs.sqlite')
    const stores = await openStores({ store, clock: systemClock })
    up.push(() => stores.close())
    const setupToken = await offerSetup(settings, stores)
    const url = await startParts(settings, stores, engine, setupToken, up)
    return { url, setupToken, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function openEngine({ queue, data, log }: JobsSettings, up: Stop[]): Promise<QueueEngine> {
  if (queue !== undefined) {
    const client = await connectQueue(queue)
    up.push(() => client.stop())
    return client
  }
  const running = await startQueue({ dataFolder: join(data, 'queue'), logger: log })
  up.push(() => running.stop())
  return running.client
}

async function offerSetup({ admin }: JobsSettings, { accounts }: Stores) {
  if (admin) await accounts.ensureAdmin(admin.email, admin.password)
  return (await accounts.hasAdmin()) ? undefined : randomToken()
}

async function startParts(
  { listen, allow = [], api = {}, log, parts: wanted = parts }: JobsSettings,
  stores: Stores,
  engine: QueueEngine,
  setupToken: string | undefined,
  up: Stop[],
): Promise<string> {
  const common = { stores, engine, clock: systemClock, random: systemRandom, log }
  const steps = roles.filter((role) => wanted.includes(role))
  const pipeline = createPipeline({ ...common, roles: steps, fetching: { allow } })
  await pipeline.start()
  up.push(() => pipeline.stop())
  const token = setupToken === undefined ? {} : { setupToken }
  const server = wanted.includes('api')
    ? await createReplica({ ...common, ...token, api })
    : await createHealthServer(log)
  up.push(() => server.close())
  return server.listen(parseAddress(listen))
}

/** So that whoever keeps a process without an API alive can ask whether it is. */
async function createHealthServer(log: Log) {
  const title = 'Drover fetch jobs, a step'
  const server = await createHttpServer({ title, description: 'Tells that it is alive.', log })
  server.get('/v1/health', async () => ({ status: 'up' }))
  return server
}
