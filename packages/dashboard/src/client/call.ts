import { answerMsMax } from '../options.ts'
import { Problem, problemOf } from './problem.ts'
import { isLockedOut, token } from './session.ts'

/** What is sent besides method and path. */
export interface Sending {
  /** Sent as JSON, but for a FormData, a Blob or a text, which go as they are. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/**
 * Sends one request to where the page came from, with the token if there is one, and returns the answer.
 * Throws Problem for every answer from 400 on and for none at all; AbortError when `signal` aborts.
 */
export async function send(method: string, path: string, sending: Sending = {}): Promise<Response> {
  const { signal } = sending
  const answer = await reach(path, {
    method,
    headers: headersOf(sending),
    ...(sending.body === undefined ? {} : { body: bodyOf(sending.body) }),
    ...(signal ? { signal } : {}),
  })
  if (answer.ok) return answer
  // A part's own 401 passes through the instance and is the part's page's concern.
  if (answer.status === 401 && !path.startsWith('/parts/')) isLockedOut.set(true)
  throw problemOf(answer.status, await answer.text())
}

/** Sends one request and returns the JSON of its answer; undefined for an empty one. */
export async function call<Answer>(
  method: string,
  path: string,
  sending: Sending = {},
): Promise<Answer> {
  const deadline = AbortSignal.timeout(answerMsMax)
  const signal = sending.signal ? AbortSignal.any([sending.signal, deadline]) : deadline
  const answer = await send(method, path, { ...sending, signal })
  const text = await answer.text()
  return (text === '' ? undefined : JSON.parse(text)) as Answer
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, { ...init, cache: 'no-store', credentials: 'omit' })
  } catch (cause) {
    if (init.signal?.aborted && init.signal.reason?.name !== 'TimeoutError') throw cause
    throw new Problem('the instance does not answer', { code: 'UNREACHABLE', status: 0, cause })
  }
}

function headersOf({ body, headers }: Sending): Record<string, string> {
  const isJson = body !== undefined && !isBare(body)
  return {
    ...(isJson ? { 'content-type': 'application/json' } : {}),
    ...(token.value === undefined ? {} : { authorization: `Bearer ${token.value}` }),
    ...headers,
  }
}

function bodyOf(body: unknown): BodyInit {
  return isBare(body) ? body : JSON.stringify(body)
}

function isBare(body: unknown): body is FormData | Blob | string {
  return body instanceof FormData || body instanceof Blob || typeof body === 'string'
}
