import { type Address, type Clock, formatAddress, withDeadline } from '@drover/kernel'
import { fault } from '../../errors.ts'

/** How long one request may take, in ms. */
const requestMs = 30_000

/** A message as a consumer got it: the name of its partition as T1:P1. */
export interface CourseMessage {
  readonly topic: string
  readonly message: string
}

/** Talks to a manager of the course. A refusal is MANAGER_REFUSED, no answer BROKER_UNREACHABLE. */
export interface CourseClient {
  registerProducer(topic: string, part: string | undefined): Promise<number>
  registerConsumer(topic: string, part: string | undefined): Promise<number>
  produce(producer: number, message: string): Promise<void>
  size(consumer: number): Promise<number>
  /** Undefined when the partition whose turn it was has nothing. */
  consume(consumer: number): Promise<CourseMessage | undefined>
}

/** Returns a client of the manager at `address`. */
export function createCourseClient(address: Address, clock: Clock): CourseClient {
  const base = `http://${formatAddress(address)}`
  const ask = (path: string, body?: unknown) =>
    withDeadline(`${base}${path}`, requestMs, clock, request(base, path, body))
  const register = async (what: string, topic: string, part: string | undefined) => {
    const { message } = accepted(await ask(`/${what}/register`, { topic, part }))
    return Number(message)
  }
  return {
    registerProducer: (topic, part) => register('producer', topic, part),
    registerConsumer: (topic, part) => register('consumer', topic, part),
    async produce(producer, message) {
      accepted(await ask('/producer/produce', { producer_id: producer, message }))
    },
    async size(consumer) {
      return Number(accepted(await ask(`/size?consumer_id=${consumer}`)).message)
    },
    async consume(consumer) {
      const answer = await ask(`/consumer/consume?consumer_id=${consumer}`)
      if (answer.status === 400 && /^Empty logs/.test(String(answer.body.message))) return undefined
      const { topic, message } = accepted(answer)
      return { topic: String(topic), message: String(message) }
    },
  }
}

interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

async function request(base: string, path: string, body: unknown): Promise<Answer> {
  try {
    const response = await fetch(`${base}${path}`, {
      signal: AbortSignal.timeout(requestMs),
      ...(body === undefined
        ? {}
        : {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(body),
          }),
    })
    return { status: response.status, body: (await response.json()) as Answer['body'] }
  } catch (cause) {
    throw fault('BROKER_UNREACHABLE', `no answer from ${base}${path}`, { cause })
  }
}

/** Returns the body of an answer that says it was done. */
function accepted({ status, body }: Answer): Answer['body'] {
  if (status === 200) return body
  const code = status >= 500 ? 'BROKER_FAULTY' : 'MANAGER_REFUSED'
  throw fault(code, String(body.message ?? `status ${status}`))
}
