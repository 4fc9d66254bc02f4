import type { Job } from '../job.ts'
import type { Ending, NewDelivery } from '../store/endings.ts'

/**
 * Returns the callback of a job that has ended, undefined when it has none or goes on. Its id is that
 * of the job and its run, so a job that is done twice calls back under one id. `user_id` and
 * `status` are what the course's receivers read; the rest is for everybody else.
 */
export function deliveryOf(job: Job, ending: Ending, nowMs: number): NewDelivery | undefined {
  if (ending.kind === 'again' || ending.kind === 'parked') return undefined
  if (job.callbackUrl === undefined) return undefined
  const outcome =
    ending.kind === 'done'
      ? { result: ending.result }
      : { reason: { code: ending.code, message: ending.reason } }
  const body = {
    user_id: job.userId,
    status: ending.kind,
    type: `job.${ending.kind}`,
    timestamp: new Date(nowMs).toISOString(),
    data: { id: job.id, url: job.url, type: job.type, run: job.run, ...outcome },
  }
  return { id: `${job.id}.${job.run}`, url: job.callbackUrl, body: JSON.stringify(body) }
}
