import type { Job } from '../../src/job.ts'
import type { Delivery } from '../../src/store/delivery-store.ts'
import { pageOf, type ReceivedCall } from './site.ts'
import type { Accepted } from './submitter.ts'

/** All that a storm left behind. */
export interface Evidence {
  readonly origin: string
  readonly accepted: readonly Accepted[]
  /** Every job of the store, those whose acceptance nobody learnt of included. */
  readonly jobs: readonly Job[]
  readonly deliveries: readonly Delivery[]
  readonly calls: readonly ReceivedCall[]
  /** What the processes have written. */
  readonly logs: string
  readonly secrets: readonly string[]
  /** Processes that ended without being killed. */
  readonly crashes: readonly string[]
}

/**
 * What a job of any page may end with because of the storm: its workers were killed too often, or the
 * site could not keep up. At most so many of all.
 */
const stormCodes = new Set(['WORKERS_DIED', 'HOST_FAILED', 'FETCH_TIMEOUT'])
const stormShareMax = 0.01

/** Returns what is wrong, one sentence each; nothing when every promise was kept. */
export function findViolations(evidence: Evidence): readonly string[] {
  return [
    ...lostJobs(evidence),
    ...evidence.jobs.flatMap(wrongEnd),
    ...wrongReasons(evidence),
    ...wrongCallbacks(evidence),
    ...leftDeliveries(evidence),
    ...evidence.crashes,
    ...evidence.secrets.flatMap((secret) =>
      evidence.logs.includes(secret) ? [`a log has the secret ${secret.slice(0, 6)}…`] : [],
    ),
  ]
}

/** Nothing accepted is missing, ids are unique, and each id is the job that it was given for. */
function lostJobs({ accepted, jobs, origin }: Evidence): string[] {
  const byId = new Map(jobs.map((job) => [job.id, job]))
  const ids = new Set(accepted.map(({ id }) => id))
  const doubled = accepted.length - ids.size
  return [
    ...(doubled > 0 ? [`${doubled} ids were given out twice`] : []),
    ...(byId.size < jobs.length ? ['the store has a job twice'] : []),
    ...accepted.flatMap(({ id, index }) => {
      const job = byId.get(id)
      if (!job) return [`job ${id} was accepted and is lost`]
      return job.url === pageOf(index, origin).url ? [] : [`job ${id} is another than was sent`]
    }),
  ]
}

/** Done with a result, or dead with a reason; nothing is left on its way. */
function wrongEnd({ id, state, result, contentHash, reason, reasonCode }: Job): string[] {
  if (state === 'done') return result && contentHash ? [] : [`job ${id} is done without a result`]
  if (state === 'dead') return reason && reasonCode ? [] : [`job ${id} is dead without a reason`]
  return [`job ${id} is left ${state}`]
}

/** A page that can be had is had, and one that cannot ends for its own reason. */
function wrongReasons({ accepted, jobs, origin }: Evidence): string[] {
  const byId = new Map(jobs.map((job) => [job.id, job]))
  let stormy = 0
  const wrong = accepted.flatMap(({ id, index }) => {
    const job = byId.get(id)
    const { kind } = pageOf(index, origin)
    if (!job) return []
    const code = job.state === 'done' ? 'done' : (job.reasonCode ?? '')
    if (kind.ends === code || kind.ends.includes(code)) return []
    if (stormCodes.has(code)) {
      stormy++
      return []
    }
    return [`job ${id} of a ${kind.name} page ended ${code}: ${job.reason}`]
  })
  const most = Math.max(1, accepted.length * stormShareMax)
  return stormy > most ? [...wrong, `${stormy} jobs ended dead by the storm itself`] : wrong
}

/** Each job with a callback was called for, under its one id, with its one body. */
function wrongCallbacks({ jobs, calls }: Evidence): string[] {
  const bodies = new Map<string, Set<string>>()
  for (const { id, body } of calls) bodies.set(id, (bodies.get(id) ?? new Set()).add(body))
  const wrong = jobs.flatMap((job) => {
    const [body, ...others] = bodies.get(`${job.id}.${job.run}`) ?? []
    bodies.delete(`${job.id}.${job.run}`)
    if (job.callbackUrl === undefined) return []
    if (body === undefined) return [`job ${job.id} ended ${job.state} and nobody was called`]
    if (others.length > 0) return [`the callbacks of job ${job.id} differ`]
    const { status, user_id: userId, data } = JSON.parse(body)
    const same = status === job.state && data.id === job.id && userId === job.userId
    return same ? [] : [`the callback of job ${job.id} says ${body}`]
  })
  return [...wrong, ...[...bodies.keys()].map((id) => `a callback ${id} belongs to no job`)]
}

function leftDeliveries({ deliveries }: Evidence): string[] {
  return deliveries.flatMap(({ id, state }) =>
    state === 'delivered' ? [] : [`callback ${id} is left ${state}`],
  )
}
