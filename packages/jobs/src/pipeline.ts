import { type Clock, type Log, type Random, type Service, startAll, stopAll } from '@drover/kernel'
import type { QueueEngine } from '@drover/queue'
import { type CallbackOptions, callbackDefaults } from './callbacks/options.ts'
import { createSender } from './callbacks/sender.ts'
import { createFetcher } from './fetching/fetcher.ts'
import { createGuard } from './fetching/guard.ts'
import { createTransport } from './fetching/transport.ts'
import {
  type FetchOptions,
  fetchDefaults,
  type ReadingOptions,
  readingDefaults,
} from './options.ts'
import { type PipelineOptions, pipelineDefaults } from './pipeline/options.ts'
import { createPublisher } from './pipeline/publisher.ts'
import { createRecorder } from './pipeline/recorder.ts'
import { type Attempt, runJob } from './pipeline/run-job.ts'
import { createScheduler } from './pipeline/scheduler.ts'
import { createTidier } from './pipeline/tidier.ts'
import { ensureTopics, jobTypes } from './pipeline/topics.ts'
import { createWorker, type Worker } from './pipeline/worker.ts'
import { createArticlePool } from './reading/article-pool.ts'
import type { JobType } from './reading/read-page.ts'
import { type RetentionOptions, retentionDefaults } from './store/retention-options.ts'
import type { Stores } from './stores.ts'

/** One step of the life of a job; each may run in a process of its own, and in several. */
export type Role = 'recorder' | 'publisher' | 'worker' | 'sender'

export const roles: readonly Role[] = ['recorder', 'publisher', 'worker', 'sender']

/** What the steps work with. */
export interface PipelineParts {
  readonly stores: Stores
  readonly engine: QueueEngine
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Default all. */
  readonly roles?: readonly Role[]
  /** The types that workers do. Default all. */
  readonly types?: readonly JobType[]
  /** What a worker does with a job. Default: fetches and reads its page. */
  readonly attempt?: Attempt
  readonly fetching?: Partial<FetchOptions>
  readonly reading?: Partial<ReadingOptions>
  readonly pipeline?: Partial<PipelineOptions>
  readonly callbacks?: Partial<CallbackOptions>
  readonly retention?: Partial<RetentionOptions>
}

/**
 * Returns the steps of `roles` as one service. Steps in one process wake each other; steps in others
 * look by themselves. The queue's engine and the stores stay the caller's.
 */
export function createPipeline(parts: PipelineParts): Service {
  const { stores, roles: wanted = roles, engine } = parts
  const settings = { ...pipelineDefaults, ...parts.pipeline }
  const common = { ...parts, ...settings, jobs: stores.jobs, claims: stores.claims }
  const sender = wanted.includes('sender') ? callbackSender(parts) : undefined
  const worker = wanted.includes('worker')
    ? workerOf(parts, settings, () => sender?.wake())
    : undefined
  const publisher = wanted.includes('publisher')
    ? createPublisher({ ...common, onPublish: (type, calls) => worker?.offer(type, calls) })
    : undefined
  const recorder = wanted.includes('recorder')
    ? createRecorder({ ...common, onRecorded: () => publisher?.wake() })
    : undefined
  const topics = { start: () => ensureTopics(engine), stop: async () => {} }
  const scheduler = publisher && schedulerOf(parts, publisher.wake)
  const tidying = publisher && tidier(parts)
  const services = [topics, sender, worker, publisher, recorder, scheduler, tidying]
  const present = services.filter((service) => service !== undefined)
  return { start: () => startAll(present), stop: () => stopAll(present) }
}

function workerOf(parts: PipelineParts, settings: PipelineOptions, onDelivery: () => void): Worker {
  const { stores, clock, random } = parts
  const fetcher = createFetcher({ ...fetchDefaults, ...parts.fetching }, clock, {
    turns: stores.turns,
  })
  const articles = createArticlePool({ ...readingDefaults, ...parts.reading }, clock)
  const { lossesMax } = settings
  const tools = { fetcher, articles, jobs: stores.jobs, clock, random, retry: settings, lossesMax }
  const types = parts.types ?? jobTypes
  const { attempt = (job, signal) => runJob(tools, job, signal) } = parts
  const worker = createWorker({
    ...parts,
    ...settings,
    types,
    attempt,
    claims: stores.claims,
    onDelivery,
  })
  return {
    ...worker,
    async stop() {
      await worker.stop()
      await fetcher.stop()
      await articles.stop()
    },
  }
}

function callbackSender(parts: PipelineParts) {
  const fetching = { ...fetchDefaults, ...parts.fetching }
  const guard = createGuard(fetching.allow)
  const transport = createTransport({ ...fetching, guard, clock: parts.clock })
  const sender = createSender({
    ...parts,
    deliveries: parts.stores.deliveries,
    transport,
    userAgent: fetching.userAgent,
    options: { ...callbackDefaults, ...parts.callbacks },
  })
  return {
    ...sender,
    async stop() {
      await sender.stop()
      await transport.stop()
    },
  }
}

function schedulerOf(parts: PipelineParts, onSubmitted: () => void): Service {
  return createScheduler({ ...parts, schedules: parts.stores.schedules, onSubmitted })
}

function tidier(parts: PipelineParts): Service {
  return createTidier({ ...parts, retention: { ...retentionDefaults, ...parts.retention } })
}
