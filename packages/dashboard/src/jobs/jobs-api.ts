import { search } from '../client/admin.ts'
import type { PartClient } from '../client/part.ts'

/** A job as the jobs' API tells of it; times are texts of ISO 8601. */
export interface Job {
  readonly id: string
  readonly url: string
  readonly type: number
  readonly state: string
  readonly attempt: number
  readonly attemptsMax: number
  readonly priority: number
  readonly run: number
  readonly addedAt: string
  readonly updatedAt: string
  readonly dueAt?: string
  readonly completedAt?: string
  readonly callbackUrl?: string
  readonly batch?: string
  readonly reason?: { readonly code: string; readonly message: string }
  readonly result?: {
    readonly status: number
    readonly contentType: string
    readonly bytes: number
  }
}

/** All states in the order of a job's life. */
export const jobStates = [
  'delayed',
  'waiting',
  'publishing',
  'queued',
  'working',
  'done',
  'dead',
  'cancelled',
] as const

/** A job in one of these changes no more by itself. */
export const isFinal = (state: string) => ['done', 'dead', 'cancelled'].includes(state)

/** What the types of jobs make of a page. */
export const jobTypes: Readonly<Record<number, string>> = {
  1: 'its text',
  2: 'its HTML',
  3: 'the domains it links to',
}

export interface Stats {
  readonly total: Readonly<Record<string, number>>
  readonly callbacks: Readonly<Record<string, number>>
}

/** One call to the address that a job names. */
export interface Delivery {
  readonly id: string
  readonly jobId: string
  readonly url: string
  readonly body: string
  readonly state: string
  readonly attempt: number
  readonly createdAt: string
  readonly dueAt?: string
  readonly attempts?: readonly {
    readonly attempt: number
    readonly at: string
    readonly tookMs: number
    readonly status?: number
    readonly answer?: string
    readonly error?: string
  }[]
}

/** Which jobs are listed; empty for all. */
export interface JobFilter {
  readonly state: string
  readonly type: string
}

export const readStats = (jobs: PartClient) => jobs.get<Stats>('/v1/stats')

export async function readJobs(jobs: PartClient, filter: JobFilter): Promise<readonly Job[]> {
  return (await jobs.get<{ jobs: Job[] }>(`/v1/jobs${search({ ...filter, limit: 50 })}`)).jobs
}

export const readJob = (jobs: PartClient, id: string) => jobs.get<Job>(`/v1/jobs/${id}`)

export const readResult = (jobs: PartClient, id: string) => jobs.text(`/v1/jobs/${id}/result`)

/** What is asked for. */
export interface NewJob {
  readonly url: string
  readonly type: number
  readonly priority: number
  readonly delayMs: number
  readonly callbackUrl?: string
}

export const submit = (jobs: PartClient, job: NewJob) =>
  jobs.post<{ id: string }>('/v1/jobs', job, {
    // One press of the button is one job, however often it has to be sent.
    headers: { 'idempotency-key': crypto.randomUUID() },
  })

export const cancel = (jobs: PartClient, id: string) => jobs.post<Job>(`/v1/jobs/${id}/cancel`)

export const retry = (jobs: PartClient, id: string) => jobs.post<Job>(`/v1/jobs/${id}/retry`)

export const retryAll = (jobs: PartClient, filter: JobFilter) =>
  jobs.post<{ count: number }>('/v1/jobs/retry', {
    state: filter.state === 'cancelled' ? 'cancelled' : 'dead',
    ...(filter.type === '' ? {} : { type: Number(filter.type) }),
  })

export async function readDeliveries(
  jobs: PartClient,
  state: string,
  job = '',
): Promise<readonly Delivery[]> {
  const path = `/v1/callbacks${search({ state, job, limit: 50 })}`
  return (await jobs.get<{ callbacks: Delivery[] }>(path)).callbacks
}

export const readDelivery = (jobs: PartClient, id: string) =>
  jobs.get<Delivery>(`/v1/callbacks/${id}`)

export const replayDelivery = (jobs: PartClient, id: string) =>
  jobs.post(`/v1/callbacks/${id}/replay`)
