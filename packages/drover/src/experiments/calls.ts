import { Agent, request } from 'node:http'
import { systemClock } from '@drover/kernel'
import { fault } from '../errors.ts'

/** What became of one call. */
export interface Call {
  /** The replica that answered, by its number as `Server 1`; undefined when none did well. */
  readonly replica: string | undefined
  /** `201`, or what the socket said. */
  readonly outcome: string
  /** When it was sent and answered, on the monotonic clock. */
  readonly sentMs: number
  readonly answeredMs: number
  /** What the answer's `data` says beside the replica. */
  readonly job: string | undefined
}

/** Makes one call; never throws. */
export type Caller = (number: number) => Promise<Call>

/** Who calls: keeps connections open, up to one for each call at a time. */
export interface Client {
  /** GET /test_endpoint. */
  readonly test: Caller
  /** POST /receive_data of a page of the site, as `PATH/NUMBER`. */
  submit(token: string, site: URL): Caller
  stop(): Promise<void>
}

const answerMsMax = 60_000

/** Returns a client of the pipeline's front door. */
export function createClient(door: URL): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })
  return {
    test: () => call(agent, new URL('/test_endpoint', door)),
    submit: (token, site) => (number) => {
      const url = new URL(`/page/${number}`, site).href
      const body = JSON.stringify({ user_id: 'ann', request_url: url, type: 2 })
      return call(agent, new URL('/receive_data', door), { token, body })
    },
    stop: async () => agent.destroy(),
  }
}

interface Posted {
  readonly token: string
  readonly body: string
}

function call(agent: Agent, url: URL, posted?: Posted): Promise<Call> {
  const sentMs = systemClock.monotonic()
  const method = posted ? 'POST' : 'GET'
  const headers = posted
    ? { authorization: `Bearer ${posted.token}`, 'content-type': 'application/json' }
    : {}
  return new Promise((resolve) => {
    const end = (outcome: string, text = '') => {
      const { id, job } = outcome === '200' ? dataOf(text) : {}
      const replica = id === undefined ? undefined : `Server ${id}`
      resolve({ replica, outcome, sentMs, answeredMs: systemClock.monotonic(), job })
    }
    const sent = request(url, { agent, method, headers, timeout: answerMsMax }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
      response.on('end', () => end(String(response.statusCode), text))
      response.on('error', (error) => end(error.message))
    })
    sent.on('timeout', () => sent.destroy(new Error('no answer')))
    sent.on('error', (error) => end(error.message))
    sent.end(posted?.body)
  })
}

function dataOf(text: string): { id?: number | string; job?: string } {
  const { data } = JSON.parse(text) as { data?: { id?: number | string; job?: string } }
  return data ?? {}
}

/** Makes `count` calls, `parallel` at a time; their numbers count from 0. */
export async function callMany(caller: Caller, count: number, parallel: number): Promise<Call[]> {
  const calls: Call[] = []
  let next = 0
  const work = async () => {
    while (next < count) calls.push(await caller(next++))
  }
  await Promise.all(Array.from({ length: Math.min(parallel, count) }, work))
  return calls
}

/** Counts the good answers of each replica, in the order of `names`. */
export function countByReplica(calls: readonly Call[], names: readonly string[]): number[] {
  return names.map((name) => calls.filter(({ replica }) => replica === name).length)
}

/** Says what went wrong and how often: `; 2: 503`; nothing when all went well. */
export function failuresOf(calls: readonly Call[]): string {
  const counts = new Map<string, number>()
  for (const { replica, outcome } of calls)
    if (replica === undefined) counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  return [...counts].map(([outcome, count]) => `; ${count}: ${outcome}`).join('')
}

/** Posts a body, a form or JSON, and returns the answer's JSON. Throws EXPERIMENT_FAILED if it is not 200. */
export async function post<Answer>(url: URL, body: string | URLSearchParams): Promise<Answer> {
  const headers = typeof body === 'string' ? { 'content-type': 'application/json' } : {}
  const response = await fetch(url, { method: 'POST', body, headers })
  const text = await response.text()
  if (response.ok) return JSON.parse(text) as Answer
  throw fault('EXPERIMENT_FAILED', `${url.pathname} answered ${response.status}: ${text}`)
}
