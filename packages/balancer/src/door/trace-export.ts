import { type RequestOptions, request as sendHttp } from 'node:http'
import { request as sendHttps } from 'node:https'
import { type Clock, describeError, withDeadline } from '@drover/kernel'
import type { EngineEvent, TracesPlan } from '../plan.ts'
import type { AccessEntry } from './access-log.ts'
import type { RequestHead } from './parsing/request-head.ts'
import type { DoorContext } from './service.ts'
import { randomHex } from './trace.ts'

const flushMs = 1_000
const batchMax = 512
/** Spans that wait for the collector; what comes on top is left out. */
const pendingMax = 4_096
const answerMs = 10_000
/** How long the end waits for a collector. */
const closeMs = 1_000
const serverKind = 2
const errorStatus = 2

/**
 * Sends a span for each sampled request to an OpenTelemetry collector: OTLP over HTTP, as JSON
 * (https://opentelemetry.io/docs/specs/otlp/), gathered to batches, one under way at a time. A
 * collector that is away or slow costs spans, never requests; that it is away is told once.
 */
export class TraceExport {
  readonly plan: TracesPlan
  readonly #clock: Clock
  readonly #emit: (event: EngineEvent) => void
  readonly #stopFlushing: () => void
  #pending: object[] = []
  #sending: Promise<void> | undefined
  #failing = false

  constructor(plan: TracesPlan, { clock, emit }: Pick<DoorContext, 'clock' | 'emit'>) {
    this.plan = plan
    this.#clock = clock
    this.#emit = emit
    this.#stopFlushing = clock.every(flushMs, () => this.#flush())
  }

  record(head: RequestHead, entry: AccessEntry): void {
    const isSampled = head.traceparent.endsWith('1')
    if (isSampled && this.#pending.length < pendingMax)
      this.#pending.push(this.#spanOf(head, entry))
  }

  /** Sends what is left, once; waits for at most a second. */
  async close(): Promise<void> {
    this.#stopFlushing()
    try {
      await withDeadline('sending spans', closeMs, this.#clock, this.#sendRest())
    } catch {
      // The collector is slow, and what it was sent last may be lost.
    }
  }

  async #sendRest(): Promise<void> {
    await this.#sending
    this.#flush()
    await this.#sending
  }

  /**
   * What the door made itself names its own span, whose child the replica is. What a client sent is
   * passed on as it came: then door and replica are both children of the client's span.
   */
  #spanOf(head: RequestHead, entry: AccessEntry): object {
    const [, traceId, parent = ''] = head.traceparent.split('-')
    const endMs = this.#clock.now()
    const { status, service, trouble } = entry
    return {
      traceId,
      ...(head.tracedHere ? { spanId: parent } : { spanId: randomHex(16), parentSpanId: parent }),
      name: `${head.method} ${service ?? 'refused'}`,
      kind: serverKind,
      startTimeUnixNano: nanoseconds(endMs - entry.durationMs),
      endTimeUnixNano: nanoseconds(endMs),
      attributes: attributesOf(head, entry),
      status: status >= 500 || status === 0 ? { code: errorStatus, message: trouble } : {},
    }
  }

  #flush(): void {
    if (this.#sending || this.#pending.length === 0) return
    const spans = this.#pending.splice(0, batchMax)
    this.#sending = post(this.plan.url, bodyOf(this.plan.name, spans))
      .then(
        () => {
          this.#failing = false
        },
        (error: unknown) => this.#tell(error),
      )
      .finally(() => {
        this.#sending = undefined
        if (this.#pending.length >= batchMax) this.#flush()
      })
  }

  #tell(error: unknown): void {
    if (this.#failing) return
    this.#failing = true
    const reason = `${this.plan.url} takes no spans, which are lost: ${describeError(error)}`
    this.#emit({ kind: 'trouble', reason })
  }
}

function attributesOf(head: RequestHead, entry: AccessEntry): object[] {
  const { client, replica, status, bytesIn, bytesOut, attempts, trouble } = entry
  const texts = {
    'http.request.method': head.method,
    'url.path': head.path,
    'server.address': head.host,
    'client.address': client,
    'drover.replica': replica,
    'drover.request_id': head.requestId,
    'error.type': trouble === '' ? undefined : trouble,
  }
  const numbers = {
    'http.response.status_code': status,
    'http.request.body.size': bytesIn,
    'http.response.body.size': bytesOut,
    'http.request.resend_count': Math.max(0, attempts - 1),
  }
  return [
    ...Object.entries(texts)
      .filter(([, value]) => value !== undefined)
      .map(([key, stringValue]) => ({ key, value: { stringValue } })),
    ...Object.entries(numbers).map(([key, value]) => ({ key, value: { intValue: String(value) } })),
  ]
}

function bodyOf(name: string, spans: readonly object[]): string {
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: name } }] }
  const scopeSpans = [{ scope: { name: 'drover' }, spans }]
  return JSON.stringify({ resourceSpans: [{ resource, scopeSpans }] })
}

/** 53 bits hold no nanoseconds since 1970: whole milliseconds and the rest are put side by side. */
function nanoseconds(ms: number): string {
  const whole = Math.floor(ms)
  const rest = Math.round((ms - whole) * 1_000_000)
  return `${whole}${String(Math.min(rest, 999_999)).padStart(6, '0')}`
}

async function post(url: string, body: string): Promise<void> {
  const send = url.startsWith('https:') ? sendHttps : sendHttp
  const options: RequestOptions = {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    timeout: answerMs,
  }
  await new Promise<void>((resolve, reject) => {
    const sent = send(url, options, (answer) => {
      answer.resume()
      const isTaken = (answer.statusCode ?? 500) < 300
      answer.once('close', () => (isTaken ? resolve() : reject(new Error('not taken'))))
    })
    sent.once('timeout', () => sent.destroy(new Error('no answer')))
    sent.once('error', reject)
    sent.end(body)
  })
}
