import { type TSchema, Type } from '@drover/kernel'
import type { AccountEntry } from '../accounts/accounts.ts'
import type { Job } from '../job.ts'
import type { Schedule } from '../schedule.ts'
import type { Delivery, DeliveryAttempt } from '../store/delivery-store.ts'
import { deliveryState, jobState } from './schemas.ts'

const exact = { additionalProperties: false } as const
const text = Type.String()
const whole = Type.Integer()
const time = Type.String({ format: 'date-time' })
const userId = Type.Union([Type.String(), Type.Integer()])

/** What a replica calls itself. */
export const replicaId = userId

const next = Type.Optional(Type.String({ description: 'for `after`: there are more' }))

/** How every error looks (RFC 9457). */
export const problem = {
  description: 'A fault; `retry` says whether and when to try again',
  content: {
    'application/problem+json': {
      schema: Type.Object(
        {
          type: text,
          title: text,
          status: whole,
          code: text,
          detail: text,
          retry: Type.Union(['now', 'later', 'never'].map((retry) => Type.Literal(retry))),
        },
        exact,
      ),
    },
  },
}

/** Returns the answers of a route, for fastify and for the OpenAPI document. */
export function answers(status: number, schema: TSchema) {
  return { [status]: schema, '4xx': problem, '5xx': problem }
}

/** The answers of a route that says nothing when all went well. */
export const nothing = answers(204, Type.Null({ description: 'Done' }))

export const job = Type.Object(
  {
    id: text,
    ownerId: text,
    url: text,
    type: whole,
    state: jobState,
    attempt: whole,
    attemptsMax: whole,
    priority: whole,
    run: whole,
    userId,
    addedAt: time,
    updatedAt: time,
    dueAt: Type.Optional(time),
    completedAt: Type.Optional(time),
    callbackUrl: Type.Optional(text),
    batch: Type.Optional(text),
    schedule: Type.Optional(text),
    reason: Type.Optional(Type.Object({ code: text, message: text }, exact)),
    result: Type.Optional(
      Type.Object(
        {
          url: text,
          status: whole,
          contentType: text,
          bytes: whole,
          etag: Type.Optional(text),
          lastModified: Type.Optional(text),
          facts: Type.Record(text, Type.Union([Type.Boolean(), Type.Number(), text])),
        },
        exact,
      ),
    ),
  },
  exact,
)

export const jobPage = Type.Object({ jobs: Type.Array(job), next }, exact)
export const counts = Type.Record(text, whole, { description: 'how many are in each state' })
export const count = Type.Object({ count: whole }, exact)
export const stats = Type.Object(
  {
    total: counts,
    byType: Type.Object({ 1: counts, 2: counts, 3: counts }, exact),
    callbacks: counts,
    at: time,
  },
  exact,
)

const deliveryFields = {
  id: text,
  jobId: text,
  ownerId: text,
  url: text,
  body: text,
  state: deliveryState,
  attempt: whole,
  createdAt: time,
  dueAt: time,
}

export const delivery = Type.Object(
  {
    ...deliveryFields,
    attempts: Type.Array(
      Type.Object(
        {
          attempt: whole,
          at: time,
          tookMs: whole,
          status: Type.Optional(whole),
          answer: Type.Optional(text),
          error: Type.Optional(text),
        },
        exact,
      ),
    ),
  },
  exact,
)

export const deliveryPage = Type.Object(
  { callbacks: Type.Array(Type.Object(deliveryFields, exact)), next },
  exact,
)

export const schedule = Type.Object(
  {
    id: text,
    ownerId: text,
    cron: text,
    timeZone: text,
    job: Type.Object(
      {
        url: text,
        type: whole,
        userId: Type.Optional(userId),
        callbackUrl: Type.Optional(text),
        priority: Type.Optional(whole),
        attemptsMax: Type.Optional(whole),
      },
      exact,
    ),
    paused: Type.Boolean(),
    nextAt: Type.Optional(time),
    lastAt: Type.Optional(time),
    lastJob: Type.Optional(text),
    createdAt: time,
  },
  exact,
)

export const schedulePage = Type.Object({ schedules: Type.Array(schedule), next }, exact)

const role = Type.Union([Type.Literal('user'), Type.Literal('admin')])
const quota = Type.Object({ unfinishedMax: whole, perMinuteMax: whole, schedulesMax: whole }, exact)

export const me = Type.Object({ id: text, email: text, role, quota }, exact)
export const tokens = Type.Object(
  { accessToken: text, refreshToken: text, expiresInMs: whole, tokenType: text },
  exact,
)
export const secret = Type.Object({ secret: text }, exact)
export const onlyId = Type.Object({ id: text }, exact)
export const accountPage = Type.Object(
  {
    users: Type.Array(
      Type.Object(
        {
          id: text,
          email: text,
          role,
          disabled: Type.Boolean(),
          createdAt: time,
          quota: Type.Optional(
            Type.Object(
              { unfinishedMax: Type.Optional(whole), perMinuteMax: Type.Optional(whole) },
              exact,
            ),
          ),
        },
        exact,
      ),
    ),
    next,
  },
  exact,
)

/** Returns a job as people see it. */
export function jobView(found: Job) {
  const { id, ownerId, url, type, state, attempt, attemptsMax, priority, run } = found
  return {
    ...{ id, ownerId, url, type, state, attempt, attemptsMax, priority, run },
    userId: found.userId,
    addedAt: isoTime(found.addedMs),
    updatedAt: isoTime(found.updatedMs),
    ...(found.dueMs > 0 ? { dueAt: isoTime(found.dueMs) } : {}),
    ...(found.completedMs === undefined ? {} : { completedAt: isoTime(found.completedMs) }),
    ...(found.callbackUrl === undefined ? {} : { callbackUrl: found.callbackUrl }),
    ...(found.batchId === undefined ? {} : { batch: found.batchId }),
    ...(found.scheduleId === undefined ? {} : { schedule: found.scheduleId }),
    ...(found.reasonCode === undefined
      ? {}
      : { reason: { code: found.reasonCode, message: found.reason ?? '' } }),
    ...(found.result === undefined ? {} : { result: found.result }),
  }
}

/** Returns a callback as people see it. */
export function deliveryView({ createdMs, dueMs, ...rest }: Delivery) {
  return { ...rest, createdAt: isoTime(createdMs), dueAt: isoTime(dueMs) }
}

/** Returns one attempt at a callback as people see it. */
export function attemptView({ atMs, ...rest }: DeliveryAttempt) {
  return { ...rest, at: isoTime(atMs) }
}

/** Returns a schedule as people see it. */
export function scheduleView(found: Schedule) {
  const { nextMs, lastMs, lastJobId, createdMs, ...rest } = found
  return {
    ...rest,
    ...(nextMs === undefined ? {} : { nextAt: isoTime(nextMs) }),
    ...(lastMs === undefined ? {} : { lastAt: isoTime(lastMs) }),
    ...(lastJobId === undefined ? {} : { lastJob: lastJobId }),
    createdAt: isoTime(createdMs),
  }
}

/** Returns an account as admins see it. */
export function accountView({ createdMs, quota: own, ...rest }: AccountEntry) {
  const isOwn = Object.keys(own).length > 0
  return { ...rest, createdAt: isoTime(createdMs), ...(isOwn ? { quota: own } : {}) }
}

/** Returns a time in ms as it stands in answers. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}
