import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createManualClock, seededRandom, systemClock } from '@drover/kernel'
import { newId } from '../../src/api/job-id.ts'
import { createFetcher } from '../../src/fetching/fetcher.ts'
import type { Submission } from '../../src/job.ts'
import { fetchDefaults, readingDefaults } from '../../src/options.ts'
import { pipelineDefaults } from '../../src/pipeline/options.ts'
import { runJob } from '../../src/pipeline/run-job.ts'
import { createArticlePool } from '../../src/reading/article-pool.ts'
import { openStores } from '../../src/stores.ts'
import { startSite } from '../local-site.ts'

const never = new AbortController().signal
const sentence = 'The ferry left the harbour before the fog had lifted from the islands. '
const article = `<html><body><nav>Menu</nav><article>${`<p>${sentence.repeat(5)}</p>`.repeat(8)}</article>`

const site = await startSite((request, response) => {
  const routes: Record<string, () => void> = {
    '/robots.txt': () => response.end('User-agent: *\nDisallow: /closed\n'),
    '/moved': () => response.writeHead(302, { location: '/page' }).end(),
    '/page': () => {
      if (request.headers['if-none-match'] === '"1"') response.writeHead(304).end()
      else response.writeHead(200, { etag: '"1"', 'content-type': 'text/html' }).end(article)
    },
    '/busy': () => response.writeHead(429, { 'retry-after': '30' }).end(),
    '/closed': () => response.end('not to be read'),
  }
  routes[request.url ?? '']?.()
})
const clock = createManualClock(1_790_000_000_000)
const stores = await openStores({ store: ':memory:', clock })
const articles = createArticlePool(readingDefaults, systemClock)
const allow = [`127.0.0.1:${site.port}`]
const fetcher = createFetcher({ ...fetchDefaults, allow, hostDelayMs: 0 }, clock)
const polite = createFetcher({ ...fetchDefaults, allow, hostDelayMs: 10_000 }, clock, {
  turns: stores.turns,
})
const tools = {
  ...{ fetcher, articles, jobs: stores.jobs, clock, random: seededRandom(3) },
  ...{ retry: pipelineDefaults, lossesMax: 2 },
}
after(async () => {
  await Promise.all([fetcher.stop(), polite.stop(), articles.stop(), stores.close(), site.close()])
})

/** A job as a worker has it. */
async function begin(path: string, more: Partial<Submission> = {}) {
  const id = newId(clock.now())
  await stores.jobs.record([
    {
      ...{ id, ownerId: 'o', userId: 'u', url: `${site.origin}${path}`, type: 1 },
      ...{ callbackUrl: undefined, addedMs: clock.now(), priority: 0, dueMs: 0, attemptsMax: 3 },
      ...{ batchId: undefined, ...more },
    },
  ])
  return beginAgain(id)
}

async function beginAgain(id: string) {
  await stores.claims.wakeDelayed(10)
  await stores.claims.claimWaiting(1, 10, 1_000)
  const claimed = await stores.claims.begin(id, 1, 1_000)
  assert.ok(claimed)
  return claimed
}

test('a page that has not changed is not sent again, and its results are the same', async () => {
  const first = await begin('/moved')
  await stores.claims.finish(first, await runJob(tools, first.job, never), undefined)
  const second = await begin('/moved')
  const ending = await runJob(tools, second.job, never)
  await stores.claims.finish(second, ending, undefined)

  const [before, now] = await Promise.all([first, second].map(({ job }) => stores.jobs.job(job.id)))
  const asked = site.requests.filter(({ url }) => url === '/page')
  const hops = site.requests.filter(({ url }) => url === '/moved')
  assert.equal(ending.kind, 'done')
  assert.equal(asked.at(-1)?.headers['if-none-match'], '"1"')
  assert.ok(hops.every(({ headers }) => headers['if-none-match'] === undefined))
  assert.ok(before?.wholeHash !== undefined && before.wholeHash !== before.contentHash)
  assert.deepEqual([now?.contentHash, now?.wholeHash], [before?.contentHash, before?.wholeHash])
  const whole = await stores.jobs.content(now?.wholeHash ?? '')
  assert.ok(Buffer.from(whole).toString().startsWith('Menu\n'))
})

test('a page whose results were removed meanwhile is fetched anew', async () => {
  const first = await begin('/page')
  await stores.claims.finish(first, await runJob(tools, first.job, never), undefined)
  await clock.advance(3_600_001 * 24 * 8)
  const { retentionDefaults } = await import('../../src/store/retention-options.ts')
  await stores.retention.sweep(retentionDefaults)

  const second = await begin('/page')
  const ending = await runJob(tools, second.job, never)

  assert.equal(site.requests.at(-1)?.headers['if-none-match'], undefined)
  assert.equal(
    ending.kind === 'done' && (await stores.jobs.content(ending.contentHash)).length > 0,
    true,
  )
})

test('a server that asks for a wait gets it, and the last attempt ends the job with its reason', async () => {
  const claimed = await begin('/busy', { attemptsMax: 2 })

  const first = await runJob(tools, claimed.job, never)
  await stores.claims.finish(claimed, first, undefined)
  await clock.advance(600_000)
  const again = await beginAgain(claimed.job.id)
  const second = await runJob(tools, again.job, never)

  assert.ok(first.kind === 'again' && first.dueMs - claimed.job.addedMs >= 30_000)
  assert.equal(again.job.attempt, 2)
  assert.ok(second.kind === 'dead' && second.code === 'PAGE_UNAVAILABLE')
})

test('a page that robots.txt closes is dead at once', async () => {
  const { job } = await begin('/closed')

  const ending = await runJob(tools, job, never)

  assert.ok(ending.kind === 'dead' && ending.code === 'ROBOTS_DISALLOW')
})

test('a job that keeps killing its workers is dead, whatever attempts it has left', async () => {
  const { job } = await begin('/page', { attemptsMax: 100 })
  for (let loss = 0; loss < 3; loss++) {
    await clock.advance(1_001)
    await stores.claims.releaseExpired()
    await beginAgain(job.id)
  }
  const { attempt, losses } = await stores.jobs.job(job.id)

  const ending = await runJob(tools, await stores.jobs.job(job.id), never)

  assert.deepEqual([attempt, losses], [1, 3])
  assert.ok(ending.kind === 'dead' && ending.code === 'WORKERS_DIED')
})

test('a job whose host is busy goes back with a turn of its own, and then is fetched', async () => {
  const both = { ...tools, fetcher: polite }
  const [first, second] = [await begin('/page'), await begin('/page')]

  const now = await runJob(both, first.job, never)
  const later = await runJob(both, second.job, never)
  await stores.claims.finish(second, later, undefined)
  await clock.advance(10_000)
  const again = await beginAgain(second.job.id)
  const last = await runJob(both, again.job, never)

  assert.equal(now.kind, 'done')
  assert.ok(later.kind === 'parked' && later.dueMs === second.job.addedMs + 10_000)
  assert.equal(again.job.attempt, 1)
  assert.equal(last.kind, 'done')
})
