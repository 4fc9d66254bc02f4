import { Type } from '@drover/kernel'

const url = Type.String({ minLength: 1, maxLength: 4_096 })
const id = Type.String({ maxLength: 128, pattern: '^[\\w-][\\w.-]*$' })
const cursor = Type.String({
  maxLength: 160,
  pattern: '^\\d{1,15}~[\\w.-]+$',
  description: 'the `next` of the page before',
})
const limit = Type.Integer({ minimum: 1, maximum: 500, default: 50 })
const jobType = Type.Union([Type.Literal(1), Type.Literal(2), Type.Literal(3)], {
  description: '1 the text of the page, 2 its HTML, 3 the domains that it links to',
})
const exact = { additionalProperties: false } as const

/** The longest delay of a job: a year, in ms. */
const delayMsMax = 31_536_000_000

const userId = Type.Union([
  Type.String({ maxLength: 256 }),
  Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }),
])

const repeatable = {
  url,
  type: jobType,
  userId: Type.Optional(userId),
  callbackUrl: Type.Optional(url),
  priority: Type.Optional(Type.Integer({ minimum: 0, maximum: 9 })),
  attemptsMax: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
}

export const jobRequest = Type.Object(
  {
    ...repeatable,
    delayMs: Type.Optional(Type.Integer({ minimum: 0, maximum: delayMsMax })),
  },
  exact,
)

export const batchRequest = Type.Object({ jobs: Type.Array(jobRequest, { minItems: 1 }) }, exact)

export const scheduleRequest = Type.Object(
  {
    cron: Type.String({
      maxLength: 200,
      description: 'minute, hour, day of the month, month, day of the week',
    }),
    timeZone: Type.Optional(
      Type.String({ pattern: '^[A-Za-z][\\w+/-]{0,63}$', description: 'of the IANA database' }),
    ),
    job: Type.Object(repeatable, exact),
  },
  exact,
)

export const pauseRequest = Type.Object({ paused: Type.Boolean() }, exact)

export const retryRequest = Type.Object(
  {
    state: Type.Optional(Type.Union([Type.Literal('dead'), Type.Literal('cancelled')])),
    type: Type.Optional(jobType),
    batch: Type.Optional(id),
  },
  exact,
)

/** Which text of an article's page: its main content, or all of it. */
export const textQuery = Type.Object({
  text: Type.Optional(Type.Union([Type.Literal('main'), Type.Literal('whole')])),
})

export const idParams = Type.Object({ id })

export const submitHeaders = Type.Object({
  'idempotency-key': Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
})

const states = [
  ...(['delayed', 'waiting', 'publishing', 'queued', 'working'] as const),
  ...(['done', 'dead', 'cancelled'] as const),
]

export const jobState = Type.Union(states.map((state) => Type.Literal(state)))

export const deliveryState = Type.Union(
  (['pending', 'delivering', 'delivered', 'failed', 'gone'] as const).map((state) =>
    Type.Literal(state),
  ),
)

export const listQuery = Type.Object({
  state: Type.Optional(jobState),
  type: Type.Optional(Type.Integer({ minimum: 1, maximum: 3 })),
  batch: Type.Optional(id),
  after: Type.Optional(cursor),
  limit,
})

export const batchQuery = Type.Object({ batch: Type.Optional(id) })

export const watchQuery = Type.Object({
  batch: Type.Optional(id),
  after: Type.Optional(cursor),
})

export const watchHeaders = Type.Object({ 'last-event-id': Type.Optional(cursor) })

export const deliveryQuery = Type.Object({
  job: Type.Optional(id),
  state: Type.Optional(deliveryState),
  after: Type.Optional(cursor),
  limit,
})

export const pageQuery = Type.Object({ after: Type.Optional(cursor), limit })

const text = Type.String({ minLength: 1, maxLength: 1_024 })

export const credentials = Type.Object({ email: text, password: text })
export const setupRequest = Type.Object({ token: text, email: text, password: text })
export const refreshRequest = Type.Object({ refreshToken: text })
export const revokeRequest = Type.Object({ refreshToken: Type.Optional(text) }, exact)
export const passwordRequest = Type.Object({ password: text, newPassword: text }, exact)
export const disableRequest = Type.Object({ disabled: Type.Boolean() }, exact)
export const roleRequest = Type.Object(
  { role: Type.Union([Type.Literal('user'), Type.Literal('admin')]) },
  exact,
)

const limitOrNone = Type.Union(
  [Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }), Type.Null()],
  { description: '0 no limit, null what everybody may' },
)

export const quotaRequest = Type.Object(
  { unfinishedMax: Type.Optional(limitOrNone), perMinuteMax: Type.Optional(limitOrNone) },
  exact,
)

/** Returns where a list goes on. */
export function cursorOf(ms: number, itemId: string): string {
  return `${ms}~${itemId}`
}

/** Returns what `cursorOf` made; undefined for undefined. */
export function parseCursor(after: string | undefined): { ms: number; id: string } | undefined {
  if (after === undefined) return undefined
  const [ms, itemId = ''] = after.split('~')
  return { ms: Number(ms), id: itemId }
}
