import type { Clock } from '@drover/kernel'
import type { QueueEngine } from '@drover/queue'
import { fault } from '../errors.ts'
import { parsePageUrl } from '../fetching/page-url.ts'
import type { Submission } from '../job.ts'
import { messageQueue } from '../pipeline/topics.ts'
import { encodeSubmission } from '../pipeline/wire.ts'
import type { JobType } from '../reading/read-page.ts'
import type { JobStore } from '../store/job-store.ts'
import { keyedId, newId } from './job-id.ts'
import type { ApiOptions } from './options.ts'

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
}

/** The accounts of which a replica remembers the number of unfinished jobs. */
const countedAccountsMax = 10_000

/** Puts submissions into the message queue. They are accepted once it has them on disk. */
export class Submitter {
  readonly #engine: QueueEngine
  readonly #jobs: JobStore
  readonly #clock: Clock
  readonly #options: ApiOptions
  readonly #unfinished = new Map<string, { count: number; untilMs: number }>()

  constructor(engine: QueueEngine, jobs: JobStore, clock: Clock, options: ApiOptions) {
    this.#engine = engine
    this.#jobs = jobs
    this.#clock = clock
    this.#options = options
  }

  /**
   * Returns the jobs, in their order, when they would survive a power cut. Throws URL_INVALID,
   * QUOTA_REACHED, KEY_REUSED, and what the queue throws.
   */
  async submit(
    requests: readonly JobRequest[],
    options: SubmitOptions,
  ): Promise<readonly Submission[]> {
    const batchId = options.batch ? this.#batchId(options) : undefined
    const submissions = requests.map((request, index) => ({
      ...this.#complete(request, index, options),
      batchId,
    }))
    if (options.key !== undefined && (await this.#known(submissions))) return submissions
    await this.#charge(options.ownerId, submissions.length)
    const messages = submissions.map((submission) => ({ value: encodeSubmission(submission) }))
    await this.#engine.produce(messageQueue, messages)
    return submissions
  }

  #complete(request: JobRequest, index: number, { ownerId, key }: SubmitOptions) {
    const nowMs = this.#clock.now()
    const { callbackUrl, delayMs = 0 } = request
    return {
      id: key === undefined ? newId(nowMs) : keyedId(ownerId, key, index),
      ownerId,
      userId: request.userId ?? ownerId,
      url: parsePageUrl(request.url).href,
      type: request.type,
      callbackUrl: callbackUrl === undefined ? undefined : parsePageUrl(callbackUrl).href,
      addedMs: nowMs,
      priority: request.priority ?? 0,
      dueMs: delayMs === 0 ? 0 : nowMs + delayMs,
      attemptsMax: request.attemptsMax ?? this.#options.attemptsMax,
    }
  }

  #batchId({ ownerId, key }: SubmitOptions): string {
    return key === undefined ? newId(this.#clock.now()) : keyedId(ownerId, key, -1)
  }

  /** Whether all of them were recorded before. Throws KEY_REUSED when they were other jobs. */
  async #known(submissions: readonly Submission[]): Promise<boolean> {
    const found = await this.#jobs.byIds(submissions.map(({ id }) => id))
    for (const { id, url, type } of submissions) {
      const before = found.get(id)
      if (before && (before.url !== url || before.type !== type))
        throw fault('KEY_REUSED', 'the idempotency key was used for another request')
    }
    return found.size === submissions.length
  }

  async #charge(ownerId: string, count: number): Promise<void> {
    const { unfinishedMax, countedMs } = this.#options
    if (unfinishedMax === 0) return
    const nowMs = this.#clock.monotonic()
    let known = this.#unfinished.get(ownerId)
    if (!known || nowMs >= known.untilMs) {
      known = { count: await this.#jobs.unfinished(ownerId), untilMs: nowMs + countedMs }
      if (this.#unfinished.size >= countedAccountsMax) this.#unfinished.clear()
      this.#unfinished.set(ownerId, known)
    }
    if (known.count + count > unfinishedMax)
      throw fault('QUOTA_REACHED', `${known.count} of ${unfinishedMax} jobs are unfinished`)
    known.count += count
  }
}
