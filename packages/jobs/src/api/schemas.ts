import { Type } from 'typebox'
import type { Job } from '../job.ts'
import type { Delivery } from '../store/delivery-store.ts'

const url = Type.String({ minLength: 1, maxLength: 4_096 })
const id = Type.String({ minLength: 1, maxLength: 128 })

/** The longest delay of a job: a year, in ms. */
const delayMsMax = 31_536_000_000

export const jobRequest = Type.Object(
  {
    url,
    type: Type.Union([Type.Literal(1), Type.Literal(2), Type.Literal(3)], {
      description: '1 the text of the page, 2 its HTML, 3 the domains that it links to',
    }),
    userId: Type.Optional(
      Type.Union([
        Type.String({ maxLength: 256 }),
        Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }),
      ]),
    ),
    callbackUrl: Type.Optional(url),
    priority: Type.Optional(Type.Integer({ minimum: 0, maximum: 9 })),
    delayMs: Type.Optional(Type.Integer({ minimum: 0, maximum: delayMsMax })),
    attemptsMax: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  },
  { additionalProperties: false },
)

export const batchRequest = Type.Object(
  { jobs: Type.Array(jobRequest, { minItems: 1 }) },
  { additionalProperties: false },
)

export const idParams = Type.Object({ id })

export const submitHeaders = Type.Object({
  'idempotency-key': Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
})

export const listQuery = Type.Object({
  state: Type.Optional(
    Type.Union(
      (
        [
          'delayed',
          'waiting',
          'publishing',
          'queued',
          'working',
          'done',
          'dead',
          'cancelled',
        ] as const
      ).map((state) => Type.Literal(state)),
    ),
  ),
  type: Type.Optional(Type.Integer({ minimum: 1, maximum: 3 })),
  batch: Type.Optional(id),
  after: Type.Optional(Type.String({ maxLength: 160, pattern: '^\\d{1,16}~[\\w.-]+$' })),
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 50 }),
})

export const watchQuery = Type.Object({ batch: Type.Optional(id) })

export const deliveryQuery = Type.Object({
  job: Type.Optional(id),
  after: Type.Optional(Type.String({ maxLength: 160, pattern: '^\\d{1,16}~[\\w.-]+$' })),
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 50 }),
})

const text = Type.String({ minLength: 1, maxLength: 1_024 })

export const credentials = Type.Object({ email: text, password: text })
export const setupRequest = Type.Object({ token: text, email: text, password: text })
export const refreshRequest = Type.Object({ refreshToken: text })
export const disableRequest = Type.Object({ disabled: Type.Boolean() })

/** Returns a job as people see it. */
export function jobView(job: Job) {
  const { id, url: pageUrl, type, state, attempt, attemptsMax, priority, run } = job
  return {
    ...{ id, url: pageUrl, type, state, attempt, attemptsMax, priority, run },
    userId: job.userId,
    addedAt: isoTime(job.addedMs),
    updatedAt: isoTime(job.updatedMs),
    ...(job.dueMs > 0 ? { dueAt: isoTime(job.dueMs) } : {}),
    ...(job.completedMs === undefined ? {} : { completedAt: isoTime(job.completedMs) }),
    ...(job.callbackUrl === undefined ? {} : { callbackUrl: job.callbackUrl }),
    ...(job.batchId === undefined ? {} : { batch: job.batchId }),
    ...(job.reasonCode === undefined
      ? {}
      : { reason: { code: job.reasonCode, message: job.reason } }),
    ...(job.result === undefined ? {} : { result: job.result }),
  }
}

/** Returns a callback as people see it. */
export function deliveryView({ ownerId: _owner, ...delivery }: Delivery) {
  const { createdMs, dueMs, ...rest } = delivery
  return { ...rest, createdAt: isoTime(createdMs), dueAt: isoTime(dueMs) }
}

/** Returns where a list goes on. */
export function cursorOf(ms: number, itemId: string): string {
  return `${ms}~${itemId}`
}

/** Returns what `cursorOf` made; undefined for undefined. */
export function parseCursor(cursor: string | undefined): { ms: number; id: string } | undefined {
  if (cursor === undefined) return undefined
  const [ms, itemId = ''] = cursor.split('~')
  return { ms: Number(ms), id: itemId }
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}
