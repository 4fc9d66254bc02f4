import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Random, seededRandom, systemClock } from '@drover/kernel'
import { connectQueue } from '@drover/queue'
import { type Part, roles } from '../../src/index.ts'
import type { Job } from '../../src/job.ts'
import { openStores, type Stores } from '../../src/stores.ts'
import { type ForeignServer, freePorts } from '../servers/foreign-server.ts'
import { until } from '../until.ts'
import type { Evidence } from './checker.ts'
import { Keeper } from './keeper.ts'
import { type StormSite, startStormSite } from './site.ts'
import { type Accepted, submitAll } from './submitter.ts'

/** How wild it gets, and on what ground. */
export interface StormOptions {
  readonly seed: number
  readonly jobCount: number
  readonly kills: number
  /** A folder of its own. */
  readonly data: string
  readonly queue?: ForeignServer | undefined
  readonly store?: ForeignServer | undefined
  /** For the whole of it, in ms. */
  readonly deadlineMs: number
}

const admin = { email: 'boss@example.org', password: 'a-secret-of-the-storm' }

/** Short waits, so that what a kill leaves behind is taken up again within the test. */
const pace = {
  fetching: {
    ...{ hostDelayMs: 0, hostConcurrency: 64, totalMs: 3_000, redirectsMax: 6 },
    ...{ packedBytesMax: 4_000_000, pageBytesMax: 8_000_000 },
  },
  pipeline: {
    ...{ claimMs: 3_000, sweepEveryMs: 200, lostMs: 5_000, retryFirstMs: 100, retryMostMs: 1_000 },
  },
  callbacks: { waitsMs: Array.from({ length: 50 }, () => 200), attemptMs: 5_000, failuresMax: 50 },
}

/** A storm's processes, and what is known of them. */
interface Stage {
  readonly options: StormOptions
  readonly random: Random
  readonly site: StormSite
  readonly keeper: Keeper
  readonly stores: Stores
  readonly apiUrls: readonly string[]
  readonly queueUrl: string
}

/** Runs a storm to its end, and returns all that it left behind. Ends every process it started. */
export async function runStorm(options: StormOptions): Promise<Evidence> {
  const keeper = new Keeper()
  const site = await startStormSite()
  const closing: (() => Promise<unknown>)[] = [() => keeper.stop(), () => site.close()]
  try {
    const stage = await setUp(options, keeper, site)
    closing.push(() => stage.stores.close())
    return await play(stage)
  } finally {
    await Promise.all(closing.map((close) => close()))
  }
}

async function setUp(options: StormOptions, keeper: Keeper, site: StormSite): Promise<Stage> {
  const { data, queue, store, seed } = options
  const [queuePort = 0, ...apiPorts] = await freePorts(4)
  const queueUrl = queue?.url ?? `127.0.0.1:${queuePort}`
  const storeUrl = store?.url ?? join(data, 'jobs.sqlite')
  const log = (name: string) => join(data, `${name}.log`)
  if (!queue) {
    const settings = { dataFolder: join(data, 'queue'), tcp: queueUrl }
    await keeper.start(
      'queue',
      './queue-process.js',
      [JSON.stringify(settings), log('queue')],
      log('errors'),
    )
  }
  const allow = [`127.0.0.1:${site.port}`]
  const common = { data, store: storeUrl, queue: queueUrl, allow, admin, ...pace }
  const start = (name: string, part: Part, port: number, replicaId: number) => {
    const settings = { ...common, parts: [part], listen: `127.0.0.1:${port}`, api: { replicaId } }
    return keeper.start(
      name,
      './part-process.js',
      [JSON.stringify(settings), log(name)],
      log('errors'),
    )
  }
  const stores = await openStores({ store: storeUrl, clock: systemClock })
  await Promise.all([
    ...apiPorts.map((port, at) => start(`api-${at}`, 'api', port, at)),
    ...[...roles, 'worker' as const].map((role, at) => start(`${role}-${at}`, role, 0, 0)),
  ])
  const apiUrls = apiPorts.map((port) => `http://127.0.0.1:${port}`)
  return { options, random: seededRandom(seed), site, keeper, stores, apiUrls, queueUrl }
}

async function play(stage: Stage): Promise<Evidence> {
  const { options, site, stores, apiUrls: urls } = stage
  const accepted: Accepted[] = []
  const { token, secret } = await logIn(urls[0] ?? '')
  const onAccepted = (jobs: readonly Accepted[]) => accepted.push(...jobs)
  const over = new AbortController()
  const random = seededRandom(options.seed + 1)
  const kills = killAlong(stage, () => accepted.length + site.called.size, over.signal)
  kills.catch(() => over.abort())
  await submitAll(options.jobCount, { urls, token, origin: site.origin, random, onAccepted })
  const missing = () => accepted.filter(({ id }) => !site.called.has(`${id}.1`)).length
  await until('every callback', () => missing() === 0, options.deadlineMs).catch((cause) => {
    throw new Error(`${missing()} of ${accepted.length} callbacks are missing`, { cause })
  })
  over.abort()
  await kills
  await until('the end of everything', () => isQuiet(stores), 60_000)
  const jobs = await allJobs(stores)
  return {
    ...{ origin: site.origin, accepted, calls: site.calls, secret, jobs },
    contents: await contentsOf(stores, jobs),
    deliveries: await allDeliveries(stores),
    logs: readLogs(options.data),
    secrets: [token, admin.password, secret, ...passwordsOf(options)],
    crashes: stage.keeper.crashes,
  }
}

async function logIn(url: string): Promise<{ token: string; secret: string }> {
  const body = new URLSearchParams({ username: admin.email, password: admin.password })
  const login = await fetch(`${url}/token`, { method: 'POST', body })
  const { access_token: token } = (await login.json()) as { access_token: string }
  const headers = { authorization: `Bearer ${token}` }
  const answer = await fetch(`${url}/v1/me/webhook-secret`, { headers })
  return { token, ...((await answer.json()) as { secret: string }) }
}

/** Kills somebody each time that another part of the work is done, until all kills are spent. */
async function killAlong(stage: Stage, progress: () => number, over: AbortSignal): Promise<void> {
  const { jobCount, kills, deadlineMs } = stage.options
  // What is submitted and what was called back together are twice the jobs.
  const every = (2 * jobCount) / (kills + 1)
  for (let kill = 1; kill <= kills; kill++) {
    const due = () => over.aborted || progress() >= kill * every
    await until('more progress', due, deadlineMs)
    if (over.aborted) return
    await killOne(stage)
  }
}

/** Any process, a broker of the queue, or a foreign server: killed, and started again. */
async function killOne({ random, keeper, options, queueUrl }: Stage): Promise<void> {
  const servers = [options.queue, options.store].filter((server) => server !== undefined)
  const victim = random.pick([...keeper.up(), 'broker', ...servers])
  if (victim === undefined) return
  if (victim === 'broker') return options.queue ? undefined : killBroker(queueUrl, random)
  if (typeof victim === 'string') return keeper.kill(victim)
  await victim.end('SIGKILL')
  await victim.start()
}

async function killBroker(queueUrl: string, random: Random): Promise<void> {
  const client = await connectQueue(queueUrl).catch(() => undefined)
  // The manager is away itself.
  if (!client) return
  try {
    const up = (await client.brokers()).filter(({ pid }) => pid !== undefined)
    const pid = random.pick(up)?.pid
    if (pid !== undefined) process.kill(pid, 'SIGKILL')
  } catch {
    // The broker has just gone: another one will do.
  } finally {
    await client.stop()
  }
}

/** Holds when every job has ended and every callback was noted. */
async function isQuiet(stores: Stores): Promise<boolean> {
  const found = await Promise.all([stores.jobs.counts(), stores.deliveries.counts()]).catch(
    () => undefined,
  )
  if (!found) return false
  const open = { ...found[0], ...found[1] }
  for (const state of ['done', 'dead', 'delivered', 'failed', 'gone']) delete open[state]
  return Object.keys(open).length === 0
}

async function allJobs({ jobs }: Stores) {
  const all: Awaited<ReturnType<typeof jobs.jobs>>[number][] = []
  for (;;) {
    const found = await jobs.jobs({ ownerId: undefined, after: all.at(-1), limit: 500 })
    if (found.length === 0) return all
    all.push(...found)
  }
}

async function contentsOf({ jobs: store }: Stores, jobs: readonly Job[]) {
  const hashes = new Set(jobs.flatMap(({ contentHash, wholeHash }) => [contentHash, wholeHash]))
  const contents = new Map<string, string>()
  for (const hash of hashes)
    if (hash !== undefined) contents.set(hash, Buffer.from(await store.content(hash)).toString())
  return contents
}

async function allDeliveries({ deliveries }: Stores) {
  const all: Awaited<ReturnType<typeof deliveries.list>>[number][] = []
  for (;;) {
    const found = await deliveries.list({ ownerId: undefined, after: all.at(-1), limit: 500 })
    if (found.length === 0) return all
    all.push(...found)
  }
}

/** What stands between the colon and the @ of the servers' addresses. */
function passwordsOf({ queue, store }: StormOptions): readonly string[] {
  const urls = [queue?.url, store?.url].filter((url) => url !== undefined)
  return urls.map((url) => `:${new URL(url).password}@`)
}

function readLogs(data: string): string {
  const files = readdirSync(data).filter((name) => name.endsWith('.log'))
  return files.map((name) => readFileSync(join(data, name), 'utf8')).join('')
}
