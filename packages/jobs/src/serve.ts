import { join } from 'node:path'
import {
  createHttpServer,
  type Log,
  parseAddress,
  randomToken,
  systemClock,
  systemRandom,
} from '@drover/kernel'
import type { QueueEngine } from '@drover/queue'
import type { ApiOptions } from './api/options.ts'
import type { CallbackOptions } from './callbacks/options.ts'
import { openEngine } from './open-engine.ts'
import type { FetchOptions } from './options.ts'
import type { PipelineOptions } from './pipeline/options.ts'
import { createPipeline, type Role, roles } from './pipeline.ts'
import { createReplica } from './replica.ts'
import type { RetentionOptions } from './store/retention-options.ts'
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
  /** A queue that runs already: HOST:PORT, `amqp://…` or `nats://…`. Default one of its own. */
  readonly queue?: string
  /** Addresses that may be fetched although they are not public. */
  readonly allow?: readonly string[]
  /** The first admin, unless there is one. */
  readonly admin?: { readonly email: string; readonly password: string }
  /** Lets the first admin in. Default one that is drawn; several replicas have to be given the same. */
  readonly setupToken?: string
  readonly api?: Partial<ApiOptions>
  readonly fetching?: Partial<FetchOptions>
  readonly pipeline?: Partial<PipelineOptions>
  readonly callbacks?: Partial<CallbackOptions>
  readonly retention?: Partial<RetentionOptions>
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
    const { data, queue, log } = settings
    const choice = queue === undefined ? {} : { queue }
    const { engine, stop: hangUp } = await openEngine({
      ...choice,
      folder: join(data, 'queue'),
      log,
    })
    up.push(hangUp)
    const stores = await open(settings)
    up.push(() => stores.close())
    const setupToken = await offerSetup(settings, stores)
    const url = await startParts(settings, stores, engine, setupToken, up)
    return { url, setupToken, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/**
 * Brings the store up to date and makes the first admin, before the processes that share the store
 * are started. Returns the token to give to all API replicas; undefined when there is an admin.
 */
export async function prepareJobs(settings: PrepareSettings): Promise<string | undefined> {
  const stores = await open(settings)
  try {
    return await offerSetup(settings, stores)
  } finally {
    await stores.close()
  }
}

type PrepareSettings = Pick<JobsSettings, 'data' | 'store' | 'admin' | 'parts'>

function open({ store, data, parts: wanted = parts }: PrepareSettings): Promise<Stores> {
  const location = store ?? join(data, 'jobs.sqlite')
  return openStores({ store: location, clock: systemClock, connections: connectionsFor(wanted) })
}

/** The recorder alone has one: nobody else writes what was submitted. Workers ask for much at once. */
function connectionsFor(wanted: readonly Part[]): number {
  if (wanted.length === 1 && wanted[0] === 'recorder') return 1
  return wanted.includes('worker') ? 10 : 4
}

async function offerSetup(
  { admin, setupToken }: Pick<JobsSettings, 'admin' | 'setupToken'>,
  { accounts }: Stores,
): Promise<string | undefined> {
  if (admin) await accounts.ensureAdmin(admin.email, admin.password)
  return (await accounts.hasAdmin()) ? undefined : (setupToken ?? randomToken())
}

async function startParts(
  settings: JobsSettings,
  stores: Stores,
  engine: QueueEngine,
  setupToken: string | undefined,
  up: Stop[],
): Promise<string> {
  const { listen, allow = [], api = {}, log, parts: wanted = parts } = settings
  const { fetching, pipeline: pace = {}, callbacks = {}, retention = {} } = settings
  const common = { stores, engine, clock: systemClock, random: systemRandom, log }
  const steps = roles.filter((role) => wanted.includes(role))
  const pipeline = createPipeline({
    ...{ ...common, roles: steps, callbacks, retention },
    fetching: { allow, ...fetching },
    pipeline: pace,
  })
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
