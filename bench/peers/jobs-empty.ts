import type { Job, JobResult } from '@drover/jobs'
import { type JobsInOne, startJobsInOne } from './jobs-drover.ts'

const result: JobResult = {
  ...{ url: 'http://site.example/', status: 200, contentType: 'text/html', bytes: 7, facts: {} },
  ...{ etag: undefined, lastModified: undefined },
}

/** Starts fetch jobs whose workers find every page empty; `onBegin` is told of each. */
export async function startEmptyJobs(
  folder: string,
  concurrency: number,
  onBegin: (job: Job) => void,
): Promise<JobsInOne> {
  let contentHash = ''
  const jobs = await startJobsInOne(folder, {
    pipeline: { workerConcurrency: concurrency, window: concurrency * 10 },
    async attempt(job) {
      onBegin(job)
      return { kind: 'done', contentHash, result }
    },
  })
  contentHash = await jobs.keep('nothing')
  return jobs
}
