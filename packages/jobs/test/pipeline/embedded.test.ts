import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Service, seededRandom, silentLog, systemClock } from '@drover/kernel'
import { startQueue } from '@drover/queue'
import { apiDefaults } from '../../src/api/options.ts'
import { Submitter } from '../../src/api/submit.ts'
import { ensureTopics } from '../../src/pipeline/topics.ts'
import { createPipeline } from '../../src/pipeline.ts'
import { openStores } from '../../src/stores.ts'
import { startSite } from '../local-site.ts'
import { until } from '../until.ts'

const jobCount = 120

/** Each job is synced to disk several times; a busy machine takes its time for it. */
const deadlineMs = 60_000

test('on the embedded queue and SQLite no job is lost while every step is stopped and started', async (t) => {
  const called = new Set<string>()
  const site = await startSite((request, response) => {
    if (request.method === 'POST') called.add(String(request.headers['webhook-id']))
    request.resume()
    const number = Number(/^\/p(\d+)/.exec(request.url ?? '')?.[1] ?? 0)
    if (number % 10 === 1) response.writeHead(404).end()
    else response.writeHead(200, { 'content-type': 'text/html' }).end(`<p>page ${number}`)
  })
  const pipelines: Service[] = []
  t.after(() => Promise.all(pipelines.map((pipeline) => pipeline.stop())))
  t.after(() => site.close())
  const folder = mkdtempSync(join(tmpdir(), 'drover-jobs-'))
  const queue = await startQueue({ dataFolder: folder, runBrokers: 'here', logger: silentLog })
  const stores = await openStores({ store: join(folder, 'jobs.sqlite'), clock: systemClock })
  t.after(async () => {
    await stores.close()
    await queue.stop()
    rmSync(folder, { recursive: true })
  })
  const engine = queue.client
  const random = seededRandom(1)
  const owner = await stores.accounts.register('storm@example.org', 'secret')
  const allow = [`127.0.0.1:${site.port}`]
  const start = async () => {
    const pipeline = createPipeline({
      ...{ stores, engine, random, clock: systemClock, log: silentLog },
      fetching: { allow, hostDelayMs: 0, hostConcurrency: 8, robots: false },
      pipeline: { claimMs: 500, sweepEveryMs: 50, lostMs: 2_000 },
    })
    pipelines.push(pipeline)
    await pipeline.start()
    return pipeline
  }
  await ensureTopics(engine)
  const submitter = new Submitter(engine, stores, systemClock, apiDefaults)
  const requests = Array.from({ length: jobCount }, (_, index) => ({
    url: `${site.origin}/p${index}`,
    type: ((index % 3) + 1) as 1 | 2 | 3,
    callbackUrl: `${site.origin}/done`,
  }))
  const endedNow = async () => {
    const { done = 0, dead = 0 } = await stores.jobs.counts({ ownerId: owner })
    return { done, dead }
  }

  const accepted = await submitter.submit(requests, { ownerId: owner })
  for (const share of [20, 50, 80]) {
    const pipeline = await start()
    await until(
      `${share} jobs`,
      async () => {
        const { done, dead } = await endedNow()
        return done + dead >= share
      },
      deadlineMs,
    )
    await pipeline.stop()
  }
  await start()
  const last = await until(
    'the end of all',
    async () => {
      const counts = await endedNow()
      return counts.done + counts.dead === jobCount && called.size === jobCount && counts
    },
    deadlineMs,
  )

  assert.equal(new Set(accepted.map(({ id }) => id)).size, jobCount)
  assert.deepEqual(last, { done: jobCount * 0.9, dead: jobCount * 0.1 })
  assert.ok(accepted.every(({ id }) => called.has(`${id}.1`)))
})
