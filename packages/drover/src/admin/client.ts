import { describeError, fromProblem } from '@drover/kernel'
import { fault } from '../errors.ts'

/** Where an instance's admin API is, and what it wants to see. */
export interface AdminAddress {
  /** As `http://127.0.0.1:8081`. */
  readonly url: string
  readonly token: string | undefined
}

/** Calls on a running instance. A fault of the instance is thrown here as it was there. */
export interface AdminClient {
  readonly url: string
  get<Answer>(path: string): Promise<Answer>
  post<Answer>(path: string, body?: unknown): Promise<Answer>
  text(path: string): Promise<string>
  /** Reads server-sent events until the instance ends the stream or the signal aborts. */
  stream<Item>(path: string, signal: AbortSignal): AsyncGenerator<Item>
}

/** A call that the instance does not answer within this many ms has failed. */
const answerMsMax = 30_000

/** Returns the client of the instance at `address`. */
export function createAdminClient({ url, token }: AdminAddress): AdminClient {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const call = async (path: string, init: RequestInit): Promise<Response> => {
    const response = await reach(new URL(path, url), {
      ...init,
      headers: { ...init.headers, ...headers },
    })
    if (response.ok) return response
    const body = await response.text()
    throw fromProblem(parsed(body)) ?? strange(url, response.status)
  }
  const soon = () => AbortSignal.timeout(answerMsMax)
  return {
    url,
    async get<Answer>(path: string) {
      return (await (await call(path, { signal: soon() })).json()) as Answer
    },
    async post<Answer>(path: string, body: unknown = {}) {
      const response = await call(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: soon(),
      })
      return (await response.json()) as Answer
    },
    text: async (path) => (await call(path, { signal: soon() })).text(),
    async *stream<Item>(path: string, signal: AbortSignal) {
      const { body } = await call(path, { signal })
      if (body) yield* events<Item>(body)
    },
  }
}

async function reach(url: URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init)
  } catch (cause) {
    if (init.signal?.aborted && init.signal.reason?.name !== 'TimeoutError') throw cause
    const message = `no instance answers at ${url.origin} (${describeError(cause)}); is drover running?`
    throw fault('NOT_RUNNING', message, { cause })
  }
}

function strange(url: string, status: number) {
  return fault(
    'ADMIN_STRANGE',
    `${url} answered ${status}, but not as an admin API of Drover would`,
  )
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not JSON, so not ours: the caller says so.
    return undefined
  }
}

/** Parts a stream of server-sent events into the JSON of their `data:` lines. */
async function* events<Item>(body: ReadableStream<Uint8Array>): AsyncGenerator<Item> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body) {
    const lines = `${rest}${decoder.decode(chunk, { stream: true })}`.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.startsWith('data: ')) yield JSON.parse(line.slice(6)) as Item
  }
}
