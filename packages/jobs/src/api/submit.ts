import { createHash } from 'node:crypto'
import { type Clock, Fault } from '@drover/kernel'
import type { QueueEngine } from '@drover/queue'
import { fault } from '../errors.ts'
import { parsePageUrl } from '../fetching/page-url.ts'
import type { Submission } from '../job.ts'
import { messageQueue } from '../pipeline/topics.ts'
import { encodeSubmission } from '../pipeline/wire.ts'
import type { JobType } from '../reading/read-page.ts'
import type { JobStore } from '../store/job-store.ts'
import type { SubmissionStore } from '../store/submission-store.ts'
import type { Stores } from '../stores.ts'
import { keyedId, newId } from './job-id.ts'
import type { ApiOptions } from './options.ts'
import { type Quota, Quotas } from './quotas.ts'

/** One job as it is asked for. */
export interface JobRequest {
  readonly url: string
  readonly type: JobType
  readonly userId?: string | number | undefined
  readonly callbackUrl?: string | undefined
  readonly priority?: number | undefined
  readonly delayMs?: number | undefined
  readonly attemptsMax?: number | undefined
}

/** What a group of submissions has in common. */
export interface SubmitOptions {
  readonly ownerId: string
  /** The same key submits the same jobs once, however often it is sent. */
  readonly key?: string | undefined
  /** Whether they are to be found as one batch. */
  readonly batch?: boolean | undefined
  /** The trace that the request belongs to. */
  readonly traceparent?: string | undefined
  /** What this account may instead of what everybody may. */
  readonly quota?: Partial<Quota> | undefined
}

/** Puts submissions into the message queue. They are accepted once it has them on disk. */
export class Submitter {
  readonly #engine: QueueEngine
  readonly #jobs: JobStore
  readonly #submissions: SubmissionStore
  readonly #clock: Clock
  readonly #options: ApiOptions
  readonly #quotas: Quotas

  constructor(
    engine: QueueEngine,
    stores: Pick<Stores, 'jobs' | 'submissions'>,
    clock: Clock,
    options: ApiOptions,
  ) {
    this.#engine = engine
    this.#jobs = stores.jobs
    this.#submissions = stores.submissions
    this.#clock = clock
    this.#options = options
    this.#quotas = new Quotas(stores.jobs, stores.submissions, clock, options.countedMs)
  }

  /**
   * Returns the jobs, in their order, when they would survive a power cut. Throws URL_INVALID,
   * QUOTA_REACHED, KEY_REUSED, and what the queue throws.
   */
  async submit(
    requests: readonly JobRequest[],
    options: SubmitOptions,
  ): Promise<readonly Submission[]> {
    const { key, batch, ownerId } = options
    const scope = key === undefined ? undefined : scopeOf(requests, options, key)
    const nowMs = this.#clock.now()
    const idOf = (index: number) => (scope === undefined ? newId(nowMs) : keyedId(scope, index))
    const batchId = batch ? idOf(-1) : undefined
    const submissions = requests.map((request, index) => ({
      ...this.#complete(request, batch ? `jobs/${index}/` : '', nowMs, ownerId),
      id: idOf(index),
      batchId,
      traceparent: options.traceparent,
    }))
    if (key === undefined || scope === undefined)
      await this.#quotas.charge(ownerId, requests.length, this.#quotaOf(options))
    else if (await this.#isRecorded(key, scope, submissions, options)) return submissions
    const messages = submissions.map((submission) => ({ value: encodeSubmission(submission) }))
    await this.#engine.produce(messageQueue, messages)
    return submissions
  }

  #complete(request: JobRequest, place: string, nowMs: number, ownerId: string) {
    const { delayMs = 0 } = request
    return {
      ownerId,
      userId: request.userId ?? ownerId,
      ...checkAddresses(request, place),
      type: request.type,
      addedMs: nowMs,
      priority: request.priority ?? 0,
      dueMs: delayMs === 0 ? 0 : nowMs + delayMs,
      attemptsMax: request.attemptsMax ?? this.#options.attemptsMax,
    }
  }

  /**
   * Whether all of them are recorded. When they are not, whoever sent them before may have died on
   * the way: they are sent again, under the same ids, which the recorder knows. Throws KEY_REUSED.
   */
  async #isRecorded(
    key: string,
    scope: string,
    submissions: readonly Submission[],
    options: SubmitOptions,
  ): Promise<boolean> {
    const { ownerId } = options
    if (await this.#submissions.takeKey(ownerId, key, scope)) {
      try {
        await this.#quotas.charge(ownerId, submissions.length, this.#quotaOf(options))
      } catch (error) {
        await this.#submissions.dropKey(ownerId, key)
        throw error
      }
      return false
    }
    const found = await this.#jobs.byIds(submissions.map(({ id }) => id))
    return found.size === submissions.length
  }

  #quotaOf({ quota }: SubmitOptions): Quota {
    const { unfinishedMax, perMinuteMax } = this.#options
    return { unfinishedMax, perMinuteMax, ...quota }
  }
}

/**
 * Returns the addresses of a job as they are kept. Throws URL_INVALID, which names the field as it
 * stands at `place` of the body.
 */
export function checkAddresses(
  { url, callbackUrl }: Pick<JobRequest, 'url' | 'callbackUrl'>,
  place: string,
): { readonly url: string; readonly callbackUrl: string | undefined } {
  const check = (name: string, text: string) => {
    try {
      return parsePageUrl(text).href
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      throw fault('URL_INVALID', `${place}${name}: ${error.message}`, { cause: error })
    }
  }
  return {
    url: check('url', url),
    callbackUrl: callbackUrl === undefined ? undefined : check('callbackUrl', callbackUrl),
  }
}

/** Names the account, its key and what came with it: another request never gets the same ids. */
function scopeOf(
  requests: readonly JobRequest[],
  { ownerId, batch = false }: SubmitOptions,
  key: string,
): string {
  const told = requests.map((request) => [
    ...[request.url, request.type, request.userId, request.callbackUrl],
    ...[request.priority, request.delayMs, request.attemptsMax],
  ])
  const text = JSON.stringify([ownerId, key, batch, told])
  return createHash('sha256').update(text).digest('hex')
}
