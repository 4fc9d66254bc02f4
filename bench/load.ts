import type { Answer } from './lab/answer-reader.ts'
import { Client, type ClientPlan, type Ending } from './lab/client.ts'
import { Histogram } from './lab/histogram.ts'

/** What to ask, how much of it and how fast. */
export interface LoadPlan {
  /** `http:` only. */
  readonly url: string
  /** Connections, each with one request at a time. */
  readonly connections: number
  /** Begin no request after this long; those under way are waited for. */
  readonly durationMs?: number
  /** Begin this many requests. One of the two bounds must be given. */
  readonly requests?: number
  /**
   * Requests begun a second, evenly spaced (an open loop). A request whose turn comes while all
   * connections are busy waits for one, and the wait counts as its latency. Absent: each connection
   * sends its next request as soon as the last one is answered (a closed loop).
   */
  readonly ratePerSecond?: number
  /** Default GET. */
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** A body of this many bytes is generated instead, however large. */
  readonly bodyBytes?: number
  /** A request without its whole answer after this long has failed. Default 30,000. */
  readonly timeoutMs?: number
  /** Ends the load early, as if its duration were over. */
  readonly signal?: AbortSignal
  /** Sees each answer, with its body. */
  readonly onAnswer?: (answer: Answer) => void
}

/** Exact counts: `sent` is `answered` plus all that `failed`. */
export interface LoadResult {
  readonly sent: number
  readonly answered: number
  /** By reason, as `connect: ECONNREFUSED`, `ECONNRESET before the answer`, `no answer in time`. */
  readonly failed: Readonly<Record<string, number>>
  readonly byStatus: Readonly<Record<number, number>>
  /** Of the answered requests: from the send (or the due time of an open loop) to the last byte. */
  readonly latencies: Histogram
  readonly bytesRead: number
  readonly elapsedMs: number
  /** Open loop: requests whose turn had come but for which no connection became free in time. */
  readonly unsent: number
}

/** After a failure a connection rests this long, so that a dead server is not stormed. */
const restAfterFailureMs = 10

/**
 * Sends HTTP/1.1 requests over keep-alive connections and counts what becomes of each. Never repeats
 * a request, so a test may assert that none failed.
 */
export function runLoad(plan: LoadPlan): Promise<LoadResult> {
  return new Promise((resolve) => new Load(plan, resolve).start())
}

class Load {
  readonly #plan: LoadPlan
  readonly #resolve: (result: LoadResult) => void
  readonly #clients: Client[]
  /** Open loop only: the clients that may take the next request. */
  readonly #free: Client[] = []
  /** Clients with a request under way, or resting after a failed one. */
  #engaged = 0
  readonly #latencies = new Histogram()
  readonly #failed: Record<string, number> = {}
  readonly #byStatus: Record<number, number> = {}
  readonly #startMs = performance.now()
  readonly #endMs: number
  readonly #requestsMax: number
  #sent = 0
  #answered = 0
  #isOver = false
  #watch: NodeJS.Timeout | undefined

  constructor(plan: LoadPlan, resolve: (result: LoadResult) => void) {
    const { connections, durationMs, requests, signal } = plan
    if (durationMs === undefined && requests === undefined)
      throw new TypeError('a load needs durationMs or requests')
    if (!Number.isInteger(connections) || connections < 1)
      throw new RangeError(`connections is ${connections}; it must be at least 1`)
    this.#plan = plan
    this.#resolve = resolve
    this.#endMs = this.#startMs + (durationMs ?? Number.POSITIVE_INFINITY)
    this.#requestsMax = requests ?? Number.POSITIVE_INFINITY
    const wire = wirePlan(plan)
    this.#clients = Array.from(
      { length: connections },
      () => new Client(wire, (client, ending) => this.#ended(client, ending)),
    )
    signal?.addEventListener('abort', () => this.#stopSending(), { once: true })
    if (signal?.aborted) this.#isOver = true
  }

  start(): void {
    const { ratePerSecond } = this.#plan
    this.#watch = setInterval(() => this.#failLate(), 100)
    if (ratePerSecond === undefined) for (const client of this.#clients) this.#next(client)
    else {
      this.#free.push(...this.#clients)
      this.#pace(ratePerSecond)
    }
    this.#finishWhenDone()
  }

  /** Closed loop: the client's next request, if there is to be one. */
  #next(client: Client): void {
    if (this.#mayBegin()) this.#begin(client, performance.now())
    else this.#finishWhenDone()
  }

  /**
   * Open loop: begins what is due. It polls instead of waiting for a timer, because a timer's
   * millisecond would turn an even rate into bursts; so an open loop keeps one core busy.
   */
  #pace(perSecond: number): void {
    for (let begun = 0; begun < 16 && this.#mayBegin(); begun++) {
      const dueMs = this.#startMs + (this.#sent / perSecond) * 1_000
      const client = dueMs <= performance.now() ? this.#free.pop() : undefined
      if (client === undefined) break
      this.#begin(client, dueMs)
    }
    if (this.#isOver) this.#finishWhenDone()
    else setImmediate(() => this.#pace(perSecond))
  }

  #mayBegin(): boolean {
    if (this.#sent >= this.#requestsMax || performance.now() >= this.#endMs) this.#isOver = true
    return !this.#isOver
  }

  #begin(client: Client, sinceMs: number): void {
    this.#engaged++
    this.#sent++
    client.send(sinceMs)
  }

  #ended(client: Client, ending: Ending): void {
    if (ending.kind === 'answered') {
      const { answer } = ending
      this.#answered++
      this.#byStatus[answer.status] = (this.#byStatus[answer.status] ?? 0) + 1
      this.#latencies.add(performance.now() - client.sinceMs)
      this.#plan.onAnswer?.(answer)
      this.#release(client)
    } else {
      this.#failed[ending.reason] = (this.#failed[ending.reason] ?? 0) + 1
      setTimeout(() => this.#release(client), restAfterFailureMs)
    }
  }

  #release(client: Client): void {
    this.#engaged--
    if (this.#plan.ratePerSecond === undefined) {
      this.#next(client)
      return
    }
    this.#free.push(client)
    this.#finishWhenDone()
  }

  #failLate(): void {
    const latestMs = performance.now() - (this.#plan.timeoutMs ?? 30_000)
    for (const client of this.#clients)
      if (client.isBusy && client.sinceMs < latestMs) client.fail('no answer in time')
    if (performance.now() >= this.#endMs) this.#stopSending()
  }

  #stopSending(): void {
    this.#isOver = true
    this.#finishWhenDone()
  }

  #finishWhenDone(): void {
    if (!this.#isOver || this.#engaged > 0 || this.#watch === undefined) return
    clearInterval(this.#watch)
    this.#watch = undefined
    for (const client of this.#clients) client.close()
    this.#resolve({
      sent: this.#sent,
      answered: this.#answered,
      failed: this.#failed,
      byStatus: this.#byStatus,
      latencies: this.#latencies,
      bytesRead: this.#clients.reduce((sum, { bytesRead }) => sum + bytesRead, 0),
      elapsedMs: performance.now() - this.#startMs,
      unsent: this.#unsent(),
    })
  }

  #unsent(): number {
    const { ratePerSecond, durationMs } = this.#plan
    if (ratePerSecond === undefined || durationMs === undefined) return 0
    const due = Math.min(this.#requestsMax, Math.floor((ratePerSecond * durationMs) / 1_000))
    return this.#plan.signal?.aborted ? 0 : Math.max(0, due - this.#sent)
  }
}

function wirePlan(plan: LoadPlan): ClientPlan {
  const url = new URL(plan.url)
  if (url.protocol !== 'http:') throw new RangeError(`${plan.url}: only http: is supported`)
  const { method = 'GET', headers = {}, body, bodyBytes = 0 } = plan
  const payload = Buffer.from(body ?? '')
  const hasBody = body !== undefined || bodyBytes > 0
  const lines = [
    `${method} ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(hasBody ? [`Content-Length: ${payload.length + bodyBytes}`] : []),
  ]
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || 80),
    method,
    request: Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), payload]),
    bodyBytes,
    keepBody: plan.onAnswer !== undefined,
  }
}
