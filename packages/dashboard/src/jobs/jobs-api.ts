import { search } from '../client/admin.ts'
import type { PartClient } from '../client/part.ts'
import type { JobsApi } from './jobs-openapi.ts'

/** A job as the jobs' API tells of it; times are texts of ISO 8601. */
export type Job = JobsApi['GET /v1/jobs/{id}']['answer']

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

type Stats = JobsApi['GET /v1/stats']['answer']

/** One call to the address that a job names, as it is listed. */
export type Delivery = JobsApi['GET /v1/callbacks']['answer']['callbacks'][number]

/** A job that is submitted again and again, as it is listed. */
export type Schedule = JobsApi['GET /v1/schedules']['answer']['schedules'][number]

/** Which jobs are listed; empty for all. */
export interface JobFilter {
  readonly state: string
  readonly type: string
}

export const readStats = (jobs: PartClient) => jobs.get<Stats>('/v1/stats')

export async function readJobs(jobs: PartClient, filter: JobFilter): Promise<readonly Job[]> {
  const path = `/v1/jobs${search({ ...filter, limit: 50 })}`
  return (await jobs.get<JobsApi['GET /v1/jobs']['answer']>(path)).jobs
}

export const readJob = (jobs: PartClient, id: string) => jobs.get<Job>(`/v1/jobs/${id}`)

export const readResult = (jobs: PartClient, id: string) => jobs.text(`/v1/jobs/${id}/result`)

/** What is asked for. */
export type NewJob = JobsApi['POST /v1/jobs']['body']

export const submit = (jobs: PartClient, job: NewJob) =>
  jobs.post<JobsApi['POST /v1/jobs']['answer']>('/v1/jobs', job, {
    // One press of the button is one job, however often it has to be sent.
    headers: { 'idempotency-key': crypto.randomUUID() },
  })

export const cancel = (jobs: PartClient, id: string) => jobs.post<Job>(`/v1/jobs/${id}/cancel`)

export const retry = (jobs: PartClient, id: string) => jobs.post<Job>(`/v1/jobs/${id}/retry`)

export const retryAll = (jobs: PartClient, filter: JobFilter) =>
  jobs.post<JobsApi['POST /v1/jobs/retry']['answer']>('/v1/jobs/retry', {
    state: filter.state === 'cancelled' ? 'cancelled' : 'dead',
    ...(filter.type === '' ? {} : { type: Number(filter.type) }),
  })

export async function readDeliveries(
  jobs: PartClient,
  state: string,
  job = '',
): Promise<readonly Delivery[]> {
  const path = `/v1/callbacks${search({ state, job, limit: 50 })}`
  return (await jobs.get<JobsApi['GET /v1/callbacks']['answer']>(path)).callbacks
}

export const readDelivery = (jobs: PartClient, id: string) =>
  jobs.get<JobsApi['GET /v1/callbacks/{id}']['answer']>(`/v1/callbacks/${id}`)

export const replayDelivery = (jobs: PartClient, id: string) =>
  jobs.post(`/v1/callbacks/${id}/replay`)

export async function readSchedules(jobs: PartClient): Promise<readonly Schedule[]> {
  const path = `/v1/schedules${search({ limit: 100 })}`
  return (await jobs.get<JobsApi['GET /v1/schedules']['answer']>(path)).schedules
}

/** What is asked for again and again. */
export type NewSchedule = JobsApi['POST /v1/schedules']['body']

export const addSchedule = (jobs: PartClient, schedule: NewSchedule) =>
  jobs.post<Schedule>('/v1/schedules', schedule)

export const pauseSchedule = (jobs: PartClient, id: string, paused: boolean) =>
  jobs.post<Schedule>(`/v1/schedules/${id}/pause`, { paused })

export const removeSchedule = (jobs: PartClient, id: string) => jobs.remove(`/v1/schedules/${id}`)
