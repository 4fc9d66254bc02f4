import { Webhook } from 'standardwebhooks'
import type { Job } from '../../src/job.ts'
import type { Delivery } from '../../src/store/delivery-store.ts'
import { wrongResult } from './results.ts'
import { pageAt, pageOf, type ReceivedCall } from './site.ts'
import { type Accepted, isOneByOne, typeOf } from './submitter.ts'

/** All that a storm left behind. */
export interface Evidence {
  readonly origin: string
  readonly accepted: readonly Accepted[]
  /** Every job of the store, those whose acceptance nobody learnt of included. */
  readonly jobs: readonly Job[]
  readonly deliveries: readonly Delivery[]
  readonly calls: readonly ReceivedCall[]
  /** What the jobs found, by its hash. */
  readonly contents: ReadonlyMap<string, string>
  /** Of the account that submitted: what callbacks are signed by. */
  readonly secret: string
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
const stormCodes = new Set(['WORKERS_DIED', 'HOST_FAILED', 'FETCH_TIMEOUT', 'ROBOTS_UNREACHABLE'])
const stormShareMax = 0.002

/** Returns what is wrong, one sentence each; nothing when every promise was kept. */
export function findViolations(evidence: Evidence): readonly string[] {
  return [
    ...lostJobs(evidence),
    ...doubledJobs(evidence),
    ...evidence.jobs.flatMap(wrongEnd),
    ...wrongReasons(evidence),
    ...wrongResults(evidence),
    ...wrongCallbacks(evidence),
    ...wrongSignatures(evidence),
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
      const isSame = job.url === pageOf(index, origin).url && job.type === typeOf(index)
      return isSame ? [] : [`job ${id} is another than was sent`]
    }),
  ]
}

/** Only a request without a key, whose answer was lost, may have become a job that nobody knows of. */
function doubledJobs({ accepted, jobs }: Evidence): string[] {
  const known = new Set(accepted.map(({ id }) => id))
  return jobs.flatMap(({ id, userId }) =>
    known.has(id) || isOneByOne(userId) ? [] : [`job ${id} was submitted once and is there twice`],
  )
}

/** Done with a result, or dead with a reason; nothing is left on its way. */
function wrongEnd({ id, state, result, contentHash, reason, reasonCode }: Job): string[] {
  if (state === 'done') return result && contentHash ? [] : [`job ${id} is done without a result`]
  if (state === 'dead') return reason && reasonCode ? [] : [`job ${id} is dead without a reason`]
  return [`job ${id} is left ${state}`]
}

/** A page that can be had is had, and one that cannot ends for its own reason. */
function wrongReasons({ jobs, origin }: Evidence): string[] {
  const stormy: string[] = []
  const wrong = jobs.flatMap((job) => {
    const { ends, name } = pageAt(job.url, origin).kind
    const isRight = job.state === 'done' ? ends === 'done' : ends.includes(job.reasonCode ?? '-')
    if (isRight) return []
    const sentence = `job ${job.id} of a ${name} page ended ${job.state}, ${job.reasonCode}: ${job.reason}`
    if (job.state !== 'dead' || !stormCodes.has(job.reasonCode ?? '')) return [sentence]
    stormy.push(sentence)
    return []
  })
  return stormy.length > Math.max(1, jobs.length * stormShareMax) ? [...wrong, ...stormy] : wrong
}

/** What a job found is what its page holds. */
function wrongResults({ jobs, origin, contents }: Evidence): string[] {
  return jobs.flatMap((job) =>
    job.state === 'done' ? wrongResult({ job, origin, contents, ...pageAt(job.url, origin) }) : [],
  )
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
    return saysSo(job, JSON.parse(body)) ? [] : [`the callback of job ${job.id} says ${body}`]
  })
  return [...wrong, ...[...bodies.keys()].map((id) => `a callback ${id} belongs to no job`)]
}

interface CallbackBody {
  readonly status: string
  readonly user_id: string | number
  readonly data: {
    readonly id: string
    readonly url: string
    readonly type: number
    readonly result?: { readonly bytes: number }
    readonly reason?: { readonly code: string }
  }
}

function saysSo(job: Job, { status, user_id: userId, data }: CallbackBody): boolean {
  return (
    status === job.state &&
    userId === job.userId &&
    data.id === job.id &&
    data.url === job.url &&
    data.type === job.type &&
    data.result?.bytes === job.result?.bytes &&
    data.reason?.code === job.reasonCode
  )
}

/** Each attempt is signed for its own time. */
function wrongSignatures({ calls, secret }: Evidence): string[] {
  const webhook = new Webhook(secret)
  return calls.flatMap(({ id, body, timestamp, signature }) => {
    const wanted = webhook.sign(id, new Date(timestamp * 1_000), body)
    return signature === wanted ? [] : [`a callback ${id} is signed ${signature}`]
  })
}

function leftDeliveries({ deliveries }: Evidence): string[] {
  return deliveries.flatMap(({ id, state }) =>
    state === 'delivered' ? [] : [`callback ${id} is left ${state}`],
  )
}
