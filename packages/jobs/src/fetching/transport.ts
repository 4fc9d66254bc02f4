import { type Clock, Fault } from '@drover/kernel'
import type { Agent, Dispatcher } from 'undici'
import { fault } from '../errors.ts'
import { createConnector, type Lookup, lookupAll } from './connector.ts'
import type { AddressGuard } from './guard.ts'
import { undici } from './undici.ts'

/** One request that is sent, and what bounds its answer. */
interface Outgoing {
  readonly method: 'GET' | 'POST'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** Bytes of the answer's body that are read; at most 64 KiB when it is no success. */
  readonly bytesMax: number
  /** Beyond `bytesMax`: throw PAGE_TOO_LARGE, or keep what was read. A success only is refused. */
  readonly beyond: 'refuse' | 'cut'
}

/** One answer, its body whole but still packed. */
export interface Incoming {
  readonly status: number
  /** Names in lower case; several of one name joined by commas, but of several places the first. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** What nobody needs of an answer that is no success is not waited for, in bytes. */
const otherBytesMax = 65_536

/** The longest time that a connection is kept for the next request, whatever the server offers. */
const keepMsMax = 5_000

/** Sends requests of ours to servers of others. No redirect is followed. */
export interface Transport {
  /** Throws ADDRESS_REFUSED, HOST_UNKNOWN, HOST_FAILED, FETCH_TIMEOUT, PAGE_TOO_LARGE, or the signal's reason. */
  send(outgoing: Outgoing, signal: AbortSignal): Promise<Incoming>
  stop(): Promise<void>
}

export interface TransportOptions {
  readonly guard: AddressGuard
  readonly clock: Clock
  readonly lookup?: Lookup
  readonly lookupMs: number
  readonly connectMs: number
  readonly headersMs: number
  readonly bodyMs: number
  readonly hostConcurrency: number
}

/** Returns the transport over undici: HTTP/1.1 and 2, connections kept, every address judged. */
export function createTransport(options: TransportOptions): Transport {
  const { guard, clock, lookup = lookupAll, lookupMs, connectMs, headersMs, bodyMs } = options
  const agent = new (undici().Agent)({
    connect: createConnector({ guard, clock, lookup, lookupMs, connectMs }),
    connections: options.hostConcurrency,
    headersTimeout: headersMs,
    bodyTimeout: bodyMs,
    maxHeaderSize: 65_536,
    keepAliveMaxTimeout: keepMsMax,
    allowH2: true,
  })
  return {
    async send(outgoing, signal) {
      signal.throwIfAborted()
      try {
        return await exchange(agent, outgoing, signal)
      } catch (error) {
        signal.throwIfAborted()
        throw asFault(error, outgoing.url)
      }
    },
    stop: () => agent.destroy(),
  }
}

async function exchange(agent: Agent, outgoing: Outgoing, signal: AbortSignal): Promise<Incoming> {
  const { method, url, headers, body } = outgoing
  const answer = await undici().request(url, {
    dispatcher: agent,
    method,
    headers,
    signal,
    ...(body === undefined ? {} : { body }),
  })
  const bytes = await readBody(answer, outgoing)
  return { status: answer.statusCode, headers: flatten(answer.headers), body: bytes }
}

async function readBody(
  { statusCode, body }: Dispatcher.ResponseData,
  outgoing: Outgoing,
): Promise<Uint8Array> {
  const isSuccess = statusCode >= 200 && statusCode < 300
  const bytesMax = isSuccess ? outgoing.bytesMax : Math.min(outgoing.bytesMax, otherBytesMax)
  const mayRefuse = isSuccess && outgoing.beyond === 'refuse'
  // Leaving the loop early destroys the stream, and with it the connection.
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of body as AsyncIterable<Uint8Array>) {
    const left = bytesMax - length
    if (part.length > left && mayRefuse)
      throw fault('PAGE_TOO_LARGE', `the page is over ${bytesMax} bytes`)
    parts.push(part.subarray(0, left))
    length += Math.min(part.length, left)
    if (part.length > left) break
  }
  return Buffer.concat(parts, length)
}

function flatten(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const flat: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase()
    if (Array.isArray(value)) flat[key] = key === 'location' ? (value[0] ?? '') : value.join(', ')
    else if (value !== undefined) flat[key] = value
  }
  return flat
}

const timeouts = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
])

/** Names what undici failed with. Faults of the connector come through as they are. */
function asFault(error: unknown, url: URL): Fault {
  if (error instanceof Fault) return error
  const { code, cause } = error as { code?: string; cause?: unknown }
  if (cause instanceof Fault) return cause
  if (code !== undefined && timeouts.has(code))
    return fault('FETCH_TIMEOUT', `${url.host} took too long`, { cause: error })
  return fault('HOST_FAILED', `${url.host} gave no whole answer`, { cause: error })
}
