import { join } from 'node:path'
import {
  apiDefaults,
  createPipeline,
  createReplica,
  openStores,
  type PipelineParts,
  Submitter,
} from '@drover/jobs'
import { silentLog, systemClock, systemRandom } from '@drover/kernel'
import { startQueue } from '@drover/queue'

/** The whole of fetch jobs in one process; the queue's broker is one of its own. */
export interface JobsInOne {
  /** Resolves when the job is accepted for good. */
  submit(job: { url: string; type: 1 | 2 | 3 }): Promise<void>
  /** How many jobs are in which state. */
  counts(): Promise<Record<string, number>>
  /** Keeps a text, so that an empty worker has a result to name. */
  keep(text: string): Promise<string>
  /** URL of the API, and the token of who submits. */
  readonly url: string
  readonly token: string
  stop(): Promise<void>
}

/** Starts queue, store, all steps of the pipeline, and an API without quotas. */
export async function startJobsInOne(
  folder: string,
  parts: Pick<PipelineParts, 'attempt' | 'fetching' | 'pipeline'>,
): Promise<JobsInOne> {
  const common = { clock: systemClock, log: silentLog }
  const settings = { dataFolder: join(folder, 'queue'), brokers: 1, logger: silentLog }
  const queue = await startQueue(settings)
  const stores = await openStores({ ...common, store: join(folder, 'jobs.sqlite') })
  const { client: engine } = queue
  const ownerId = await stores.accounts.register('bench@example.org', 'secret')
  const api = { unfinishedMax: 0, perMinuteMax: 0 }
  const replica = await createReplica({ ...common, stores, engine, api })
  const url = await replica.listen({ port: 0, host: '127.0.0.1' })
  const pipeline = createPipeline({ ...common, ...parts, stores, engine, random: systemRandom })
  await pipeline.start()
  const submitter = new Submitter(engine, stores, systemClock, { ...apiDefaults, ...api })
  return {
    ...{ url, token: await stores.accounts.tokens.issue(ownerId) },
    async submit(job) {
      await submitter.submit([job], { ownerId })
    },
    counts: () => stores.jobs.counts({ ownerId }),
    keep: (text) => stores.jobs.keepContent(text),
    async stop() {
      await replica.close()
      await pipeline.stop()
      await stores.close()
      await queue.stop()
    },
  }
}
