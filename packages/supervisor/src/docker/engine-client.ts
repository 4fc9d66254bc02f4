import { type IncomingMessage, request } from 'node:http'
import { type Clock, describeError, Fault } from '@drover/kernel'
import { fault } from '../errors.ts'

/** The newest API version that this client was written for; older engines say their own. */
const apiVersionMost = '1.44'

/** Answers are small tables; a larger one is none. */
const bodyBytesMax = 16 * 2 ** 20

const quickMs = 15_000

/** Making a container may copy its whole image, on engines without layers that share. */
const slowMs = 120_000

/** What an engine answered: its status, and its body read as JSON (text where it is none). */
export interface EngineAnswer {
  readonly status: number
  readonly body: unknown
}

/** What the supervisor asks of a container engine (Docker's API, which Podman speaks as well). */
export interface EngineClient {
  readonly socket: string
  create(name: string, container: object): Promise<EngineAnswer>
  start(id: string): Promise<EngineAnswer>
  kill(id: string, signal: string): Promise<EngineAnswer>
  /** SIGTERM, after `seconds` SIGKILL; answers when it has ended. */
  stop(id: string, seconds: number): Promise<EngineAnswer>
  /** Also when it runs. */
  remove(id: string): Promise<EngineAnswer>
  inspect(idOrName: string): Promise<EngineAnswer>
  /** Running or not, those that have the label. */
  list(label: string): Promise<EngineAnswer>
  /** Both outputs from their beginning, as frames, until the container ends. */
  logs(id: string): Promise<IncomingMessage>
  /** One JSON document a line for each container with the label that ends, until the signal. */
  deaths(label: string, signal: AbortSignal): Promise<IncomingMessage>
}

/**
 * Returns a client of the engine behind the socket file `socket`. Every call has a deadline; one that
 * brings no answer throws ENGINE_FAILED. A refusal is an answer: the caller reads its status.
 * See docs/decisions/0002-speak-to-docker-directly.md.
 */
export function createEngineClient(socket: string, clock: Clock): EngineClient {
  let version: Promise<string> | undefined
  const tooLate = (afterMs: number) =>
    fault('ENGINE_FAILED', `${socket}: no answer after ${afterMs} ms`)

  const open = async (
    method: string,
    path: string,
    options: { readonly body?: object; readonly signal?: AbortSignal } = {},
  ) => {
    version ??= negotiate().catch((error: unknown) => {
      // The engine may be up at the next call.
      version = undefined
      throw error
    })
    return send(socket, method, `/v${await version}${path}`, options)
  }
  const negotiate = async () => {
    const answer = await send(socket, 'GET', '/_ping', {})
    answer.resume()
    return olderOf(String(answer.headers['api-version'] ?? apiVersionMost), apiVersionMost)
  }
  const call = async (method: string, path: string, body?: object, deadlineMs = quickMs) => {
    const late = new AbortController()
    const cancel = clock.after(deadlineMs, () => late.abort(tooLate(deadlineMs)))
    try {
      const answer = await open(method, path, { signal: late.signal, ...(body ? { body } : {}) })
      return { status: answer.statusCode ?? 0, body: await readBody(answer) }
    } catch (cause) {
      throw late.signal.aborted ? late.signal.reason : failed(socket, cause)
    } finally {
      cancel()
    }
  }
  const stream = async (path: string, signal?: AbortSignal) => {
    const late = new AbortController()
    const cancel = clock.after(quickMs, () => late.abort(tooLate(quickMs)))
    const signals = signal ? [late.signal, signal] : [late.signal]
    try {
      const answer = await open('GET', path, { signal: AbortSignal.any(signals) })
      if (answer.statusCode === 200) return answer
      throw new Error(messageOf(await readBody(answer)))
    } catch (cause) {
      throw late.signal.aborted ? late.signal.reason : failed(socket, cause)
    } finally {
      // Only its beginning has a deadline.
      cancel()
    }
  }

  return {
    socket,
    create: (name, container) =>
      call('POST', `/containers/create${query({ name })}`, container, slowMs),
    start: (id) => call('POST', `/containers/${id}/start`, undefined, slowMs),
    kill: (id, signal) => call('POST', `/containers/${id}/kill${query({ signal })}`),
    stop: (id, seconds) =>
      call(
        'POST',
        `/containers/${id}/stop${query({ t: String(seconds) })}`,
        undefined,
        quickMs + seconds * 1_000,
      ),
    remove: (id) =>
      call('DELETE', `/containers/${id}${query({ force: '1', v: '1' })}`, undefined, slowMs),
    inspect: (idOrName) => call('GET', `/containers/${encodeURIComponent(idOrName)}/json`),
    list: (label) =>
      call('GET', `/containers/json${query({ all: '1', filters: filters({ label: [label] }) })}`),
    logs: (id) =>
      stream(`/containers/${id}/logs${query({ follow: '1', stdout: '1', stderr: '1' })}`),
    deaths: (label, signal) =>
      stream(
        `/events${query({
          filters: filters({ type: ['container'], event: ['die'], label: [label] }),
        })}`,
        signal,
      ),
  }
}

/** Returns the engine's own words in an answer that refuses. */
export function messageOf(body: unknown): string {
  const { message } = (body ?? {}) as { message?: unknown }
  return (typeof message === 'string' ? message : String(body)).slice(0, 500).trim()
}

function send(
  socket: string,
  method: string,
  path: string,
  { body, signal }: { readonly body?: object; readonly signal?: AbortSignal },
): Promise<IncomingMessage> {
  const text = body === undefined ? undefined : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const outgoing = request({
      socketPath: socket,
      method,
      path,
      // A connection for each call: no idle one can have been closed by the engine meanwhile.
      agent: false,
      headers: {
        host: 'docker',
        ...(text === undefined
          ? { 'content-length': 0 }
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      },
      ...(signal ? { signal } : {}),
    })
    outgoing.once('response', resolve)
    outgoing.once('error', (cause) => reject(failed(socket, cause)))
    outgoing.end(text)
  })
}

async function readBody(answer: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bodyBytesMax) throw new Error(`an answer of more than ${bodyBytesMax} bytes`)
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks).toString('utf8')
  try {
    return JSON.parse(text)
  } catch {
    // Some refusals are plain text, and success is often empty.
    return text
  }
}

function failed(socket: string, cause: unknown) {
  if (cause instanceof Fault) return cause
  const code = (cause as NodeJS.ErrnoException).code
  const what =
    code === 'ENOENT' || code === 'ECONNREFUSED'
      ? 'no container engine answers there'
      : code === 'EACCES'
        ? 'this user may not speak to the container engine'
        : describeError(cause)
  return fault('ENGINE_FAILED', `${socket}: ${what}`, { cause })
}

function olderOf(one: string, other: string): string {
  const minor = (version: string) => Number(version.split('.')[1] ?? 0)
  return minor(one) < minor(other) ? one : other
}

function query(values: Readonly<Record<string, string>>): string {
  return `?${new URLSearchParams(values)}`
}

function filters(values: Readonly<Record<string, readonly string[]>>): string {
  return JSON.stringify(values)
}
