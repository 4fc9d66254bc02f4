import { backoffMs, type Clock, Fault, type Random } from '@drover/kernel'
import type { Fetcher, FetchOutcome, Validators } from '../fetching/fetcher.ts'
import type { Job, JobResult } from '../job.ts'
import type { ArticlePool } from '../reading/article-pool.ts'
import { readPage } from '../reading/read-page.ts'
import type { Ending } from '../store/endings.ts'
import type { JobStore } from '../store/job-store.ts'
import type { PipelineOptions } from './options.ts'

/** Does a job once, and returns how that ended; throws the signal's reason, and what the store fails with. */
export type Attempt = (job: Job, signal: AbortSignal) => Promise<Ending>

/** What it takes to do a job. */
export interface JobTools {
  readonly fetcher: Fetcher
  readonly articles: ArticlePool
  readonly jobs: JobStore
  readonly clock: Clock
  readonly random: Random
  readonly retry: Pick<PipelineOptions, 'retryFirstMs' | 'retryMostMs'>
  readonly lossesMax: number
}

/**
 * Does one attempt at a job: fetches the page, reads it, stores what came of it. Returns how it
 * ended; throws the signal's reason, and what the store fails with.
 */
export async function runJob(tools: JobTools, job: Job, signal: AbortSignal): Promise<Ending> {
  if (job.losses > tools.lossesMax)
    return { kind: 'dead', code: 'WORKERS_DIED', reason: `${job.losses} workers died over it` }
  const last = await tools.jobs.lastResult(job)
  const known = validatorsOf(last?.result)
  const outcome = await tools.fetcher.fetch(job.url, signal, known, job.turnMs > 0)
  if (outcome.kind === 'unchanged' && last) return { kind: 'done', ...last }
  if (outcome.kind === 'later')
    return { kind: 'parked', dueMs: Math.ceil(tools.clock.now() + outcome.waitMs) }
  if (outcome.kind !== 'page') return failed(tools, job, outcome)
  try {
    return await read(tools, job, outcome)
  } catch (error) {
    if (!(error instanceof Fault) || error.code === 'STORE_UNAVAILABLE') throw error
    return failed(tools, job, { kind: 'failed', fault: error, waitMs: undefined })
  }
}

function validatorsOf(result: JobResult | undefined): Validators | undefined {
  if (result?.etag === undefined && result?.lastModified === undefined) return undefined
  return { url: result.url, etag: result.etag, lastModified: result.lastModified }
}

async function read(
  { articles, jobs }: JobTools,
  job: Job,
  { page }: Extract<FetchOutcome, { kind: 'page' }>,
): Promise<Ending> {
  const reading = await readPage(job.type, page, articles)
  const contentHash = await jobs.keepContent(reading.content)
  const wholeHash = reading.whole === undefined ? undefined : await jobs.keepContent(reading.whole)
  const result = {
    url: page.url,
    status: page.status,
    contentType: reading.contentType,
    bytes: Buffer.byteLength(reading.content),
    etag: page.etag,
    lastModified: page.lastModified,
    facts: reading.facts,
  }
  return { kind: 'done', contentHash, wholeHash, result }
}

/** Decides by the fault's own column whether to try again, and when. */
function failed(
  { clock, random, retry }: JobTools,
  job: Job,
  outcome: Extract<FetchOutcome, { kind: 'failed' | 'unchanged' }>,
): Ending {
  if (outcome.kind === 'unchanged')
    return { kind: 'dead', code: 'PAGE_REFUSED', reason: 'answered 304 although nothing was known' }
  const { code, message, retry: mayRetry } = outcome.fault
  if (mayRetry === 'never' || job.attempt >= job.attemptsMax)
    return { kind: 'dead', code, reason: message }
  const { retryFirstMs: firstMs, retryMostMs: mostMs } = retry
  const ownMs = firstMs / 2 + backoffMs(job.attempt - 1, { firstMs, mostMs }, random)
  const dueMs = Math.ceil(clock.now() + Math.max(ownMs, outcome.waitMs ?? 0))
  return { kind: 'again', dueMs, code, reason: message }
}
