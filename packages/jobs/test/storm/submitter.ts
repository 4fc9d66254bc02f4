import type { Random } from '@drover/kernel'
import { pageOf } from './site.ts'

/** One job that the service has accepted, and which of the storm's it is. */
export interface Accepted {
  readonly id: string
  readonly index: number
}

/** Who submits, and where. */
export interface Submitting {
  /** The API replicas. */
  readonly urls: readonly string[]
  readonly token: string
  readonly origin: string
  readonly random: Random
  readonly onAccepted: (jobs: readonly Accepted[]) => void
}

const batchSize = 25
const userPrefix = 'user-'
/** Tries of one request; each goes to another replica and waits a little longer. */
const triesMax = 600

/** Submits jobs 0 to `count`, most in batches under keys, each tenth by the course's request. */
export async function submitAll(count: number, submitting: Submitting): Promise<void> {
  const batches = Array.from({ length: Math.ceil(count / batchSize) }, (_, number) =>
    Array.from({ length: batchSize }, (_, at) => number * batchSize + at).filter(
      (at) => at < count,
    ),
  )
  const next = batches.entries()
  const run = async () => {
    for (const [number, indexes] of next)
      await (number % 10 === 9
        ? submitOneByOne(indexes, submitting)
        : submitBatch(number, indexes, submitting))
  }
  await Promise.all([run(), run(), run(), run()])
}

/** The same key as often as it takes: an answer that is lost submits nothing twice. */
async function submitBatch(number: number, indexes: readonly number[], submitting: Submitting) {
  const jobs = indexes.map((index) => {
    const { url, kind } = pageOf(index, submitting.origin)
    const attemptsMax = kind.ends === 'done' ? 20 : 2
    return { url, type: typeOf(index), callbackUrl: calledAt(submitting), attemptsMax }
  })
  const { ids } = (await persist(submitting, '/v1/batches', { jobs }, `batch-${number}`)) as {
    ids: string[]
  }
  submitting.onAccepted(indexes.map((index, at) => ({ index, id: ids[at] ?? '' })))
}

/** Without a key, a request whose answer was lost becomes another job. */
async function submitOneByOne(indexes: readonly number[], submitting: Submitting) {
  for (const index of indexes) {
    const { url } = pageOf(index, submitting.origin)
    const body = {
      user_Id: `${userPrefix}${index}`,
      request_url: url,
      type: typeOf(index),
      callback: calledAt(submitting),
    }
    const { data } = (await persist(submitting, '/receive_data', body)) as { data: { job: string } }
    submitting.onAccepted([{ index, id: data.job }])
  }
}

/** Whether a job with that user was submitted by itself, without a key. */
export function isOneByOne(userId: string | number): boolean {
  return String(userId).startsWith(userPrefix)
}

export function typeOf(index: number): number {
  return (index % 3) + 1
}

function calledAt({ origin }: Submitting): string {
  return `${origin}/called`
}

async function persist(
  { urls, token, random }: Submitting,
  path: string,
  body: object,
  key?: string,
): Promise<unknown> {
  let last: unknown
  for (let attempt = 0; attempt < triesMax; attempt++) {
    try {
      const answer = await fetch(`${random.pick(urls)}${path}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${token}`,
          ...(key === undefined ? {} : { 'idempotency-key': key }),
        },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(20_000),
      })
      if (answer.ok) return await answer.json()
      last = `${answer.status} ${await answer.text()}`
      if (answer.status < 500 && answer.status !== 429) break
    } catch (error) {
      last = error
    }
    await new Promise((resolve) => setTimeout(resolve, Math.min(200, 10 * attempt)))
  }
  throw new Error(`${path} was not accepted`, { cause: last })
}
