import { Fault, fromProblem, randomToken, systemClock } from '@drover/kernel'
import { fault } from './errors.ts'
import { readEvents } from './events.ts'
import { finalStates } from './job.ts'
import type { JobState } from './store/tables.ts'

/** One job as the API shows it. */
export interface JobView {
  readonly id: string
  readonly url: string
  readonly type: 1 | 2 | 3
  readonly state: string
  readonly attempt: number
  readonly reason?: { readonly code: string; readonly message: string }
}

/** One schedule as the API shows it. */
export interface ScheduleView {
  readonly id: string
  readonly cron: string
  readonly timeZone: string
  readonly job: { readonly url: string; readonly type: number }
  readonly paused: boolean
  /** Absent while it rests, and when it comes no more. */
  readonly nextAt?: string
  readonly lastJob?: string
}

/** What a login gives; the refresh token is good once. */
export interface LoginView {
  readonly accessToken: string
  readonly refreshToken: string
}

/** Where the API is, and who asks. */
export interface ClientOptions {
  readonly url: string
  readonly token: string
  /** Gets a new token when the one before is over. */
  readonly refreshToken?: string
  /**
   * Changes the refresh token for new tokens, by `refresh` or because somebody else has done so: one
   * that is used twice ends the login. Default `refresh` alone.
   */
  readonly renew?: (
    refreshToken: string,
    refresh: (refreshToken: string) => Promise<LoginView>,
  ) => Promise<LoginView>
}

/** What is submitted with each address of a batch. */
export interface SubmitMore {
  readonly type: number
  readonly callbackUrl?: string
  readonly priority?: number
  readonly delayMs?: number
  readonly attemptsMax?: number
}

/** The longest wait for an answer, in ms; watches are not bound by it. */
const answerMs = 30_000

/** How often a watch that broke is begun again without having told anything, and the wait between, in ms. */
const resume = { most: 20, waitMs: 500 }

/** How far a watch has come. */
interface Place {
  after: string | undefined
  ended: boolean
  failures: number
  /** The jobs that have ended. */
  readonly over: Set<string>
}

/** Jobs of one page of a list. */
const pageJobs = 500

/** Talks to a jobs API. Everything throws the fault that the API answered with, or HOST_FAILED. */
export class JobsClient {
  readonly #options: ClientOptions
  #token: string
  #refreshToken: string | undefined
  #refreshing: Promise<void> | undefined

  constructor(options: ClientOptions) {
    this.#options = options
    this.#token = options.token
    this.#refreshToken = options.refreshToken
  }

  /** Logs in. Throws LOGIN_FAILED, LOGIN_THROTTLED. */
  static async login(url: string, email: string, password: string): Promise<LoginView> {
    return viewOf(await ask(url, '/v1/tokens', postOf({ email, password })))
  }

  /** Makes an account. Throws when somebody has registered with that email. */
  static async register(url: string, email: string, password: string): Promise<void> {
    await ask(url, '/users/', postOf({ email, password }))
  }

  /** Submits one job for each address, as one batch. Sent again, it is the same batch. */
  async submit(
    urls: readonly string[],
    more: SubmitMore,
  ): Promise<{ readonly batch: string; readonly ids: readonly string[] }> {
    const body = { jobs: urls.map((url) => ({ url, ...more })) }
    return this.#json<{ batch: string; ids: string[] }>('POST', '/v1/batches', body, {
      'idempotency-key': randomToken(),
    })
  }

  /** Ends the login here and at the service; the tokens are good for nothing then. */
  async logout(refreshToken: string): Promise<void> {
    await this.#send('/v1/tokens/revoke', () => inTime(postOf({ refreshToken })))
  }

  /** Up to `most` jobs, the newest first, page by page. */
  list(
    query: Readonly<Record<string, string>>,
    most: number = pageJobs,
  ): Promise<readonly JobView[]> {
    return this.#pages<JobView>('jobs', query, most)
  }

  /** Up to `most` schedules, the newest first. */
  schedules(most: number): Promise<readonly ScheduleView[]> {
    return this.#pages<ScheduleView>('schedules', {}, most)
  }

  /** Submits a job each time that `cron` names. Throws SCHEDULE_INVALID, QUOTA_REACHED. */
  addSchedule(
    cron: string,
    timeZone: string | undefined,
    job: { readonly url: string } & Omit<SubmitMore, 'delayMs'>,
  ): Promise<ScheduleView> {
    const zone = timeZone === undefined ? {} : { timeZone }
    return this.#json('POST', '/v1/schedules', { cron, ...zone, job })
  }

  /** The jobs that it has submitted stay. Throws SCHEDULE_UNKNOWN. */
  async removeSchedule(id: string): Promise<void> {
    const path = `/v1/schedules/${encodeURIComponent(id)}`
    await this.#send(path, () => inTime({ method: 'DELETE' }))
  }

  /** Lets a schedule rest, or go on. Throws SCHEDULE_UNKNOWN. */
  pauseSchedule(id: string, paused: boolean): Promise<ScheduleView> {
    return this.#json('POST', `/v1/schedules/${encodeURIComponent(id)}/pause`, { paused })
  }

  cancel(id: string): Promise<JobView> {
    return this.#json('POST', `/v1/jobs/${encodeURIComponent(id)}/cancel`)
  }

  retry(id: string): Promise<JobView> {
    return this.#json('POST', `/v1/jobs/${encodeURIComponent(id)}/retry`)
  }

  /** Ends what of a batch has not ended; returns how many jobs that were. */
  async cancelBatch(batch: string): Promise<number> {
    const path = `/v1/batches/${encodeURIComponent(batch)}/cancel`
    return (await this.#json<{ count: number }>('POST', path)).count
  }

  /** Starts dead jobs again, a thousand at the most; returns how many. */
  async retryDead(batch?: string): Promise<number> {
    const body = { state: 'dead', ...(batch === undefined ? {} : { batch }) }
    return (await this.#json<{ count: number }>('POST', '/v1/jobs/retry', body)).count
  }

  /** What the job made of its page. */
  async result(id: string): Promise<Uint8Array> {
    const path = `/v1/jobs/${encodeURIComponent(id)}/result`
    const answer = await this.#send(path, () => inTime({}))
    return new Uint8Array(await answer.arrayBuffer())
  }

  /**
   * Jobs as they change; those of a batch until all have ended, of which there are `total`: the store
   * may have got a part of them, and done it, before it gets the rest. A connection that breaks is
   * opened again where it ended, so a change may come twice. Throws HOST_FAILED when it breaks again
   * and again without a change.
   */
  async *watch(batch?: string, total = 0): AsyncGenerator<JobView> {
    const place: Place = { after: undefined, ended: false, failures: 0, over: new Set() }
    while (!place.ended) {
      try {
        yield* this.#follow(batch, place)
        place.ended &&= place.over.size >= total
      } catch (error) {
        if (!isWorthAnother(error) || place.failures === resume.most) throw error
      }
      if (place.ended) return
      if (place.failures++ === resume.most)
        throw fault('HOST_FAILED', `the watch of ${this.#options.url} ended ${resume.most} times`)
      await systemClock.sleep(resume.waitMs)
    }
  }

  /** One connection of a watch; notes how far it came. */
  async *#follow(batch: string | undefined, place: Place): AsyncGenerator<JobView> {
    const query = new URLSearchParams({
      ...(batch === undefined ? {} : { batch }),
      ...(place.after === undefined ? {} : { after: place.after }),
    })
    const answer = await this.#send(`/v1/jobs/watch?${query}`, () => ({}))
    for await (const { id, event, data } of readEvents(answer.body ?? new ReadableStream())) {
      place.ended = event === 'end'
      if (event !== 'job') continue
      place.failures = 0
      place.after = id ?? place.after
      const job = JSON.parse(data) as JobView
      if (finalStates.has(job.state as JobState)) place.over.add(job.id)
      yield job
    }
  }

  async #json<View>(
    method: string,
    path: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<View> {
    const request = () => {
      const post = body === undefined ? { method } : postOf(body)
      const all = { ...(post as { headers?: object }).headers, ...headers }
      return inTime({ ...post, method, headers: all })
    }
    return viewOf(await this.#send(path, request))
  }

  async #pages<View>(
    name: string,
    query: Readonly<Record<string, string>>,
    most: number,
  ): Promise<readonly View[]> {
    const all: View[] = []
    const place = new URLSearchParams(query)
    for (let left = most; left > 0; left -= pageJobs) {
      place.set('limit', `${Math.min(left, pageJobs)}`)
      const page: Record<string, unknown> = await this.#json('GET', `/v1/${name}?${place}`)
      all.push(...(page[name] as View[]))
      if (typeof page.next !== 'string') break
      place.set('after', page.next)
    }
    return all
  }

  /** Sends a request, once more with a new token when the one before was over. */
  async #send(path: string, request: () => RequestInit): Promise<Response> {
    const { url } = this.#options
    const send = () => {
      const { headers, ...init } = request()
      const authorization = `Bearer ${this.#token}`
      return ask(url, path, { ...init, headers: { ...(headers as object), authorization } })
    }
    const used = this.#token
    try {
      return await send()
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'TOKEN_REFUSED') throw error
      if (this.#token === used && !(await this.#renew())) throw error
      return send()
    }
  }

  /** Gets a new token, once for all that wait for it; false when there is no way to. */
  async #renew(): Promise<boolean> {
    const refreshToken = this.#refreshToken
    if (refreshToken !== undefined)
      this.#refreshing = this.#refresh(refreshToken).finally(() => {
        this.#refreshing = undefined
      })
    await this.#refreshing
    return refreshToken !== undefined || this.#refreshToken !== undefined
  }

  async #refresh(refreshToken: string): Promise<void> {
    const { url, renew = (token, refresh) => refresh(token) } = this.#options
    this.#refreshToken = undefined
    const tokens = await renew(refreshToken, async (token) =>
      viewOf(await ask(url, '/v1/tokens/refresh', postOf({ refreshToken: token }))),
    )
    this.#token = tokens.accessToken
    this.#refreshToken = tokens.refreshToken
  }
}

function postOf(body: object): RequestInit {
  const headers = { 'content-type': 'application/json' }
  return { method: 'POST', headers, body: JSON.stringify(body) }
}

function inTime(init: RequestInit): RequestInit {
  return { ...init, signal: AbortSignal.timeout(answerMs) }
}

async function ask(url: string, path: string, init: RequestInit): Promise<Response> {
  const answer = await fetch(new URL(path, url), init).catch((cause: unknown) => {
    throw fault('HOST_FAILED', `no jobs API answers at ${url}`, { cause })
  })
  if (answer.ok) return answer
  const text = await answer.text()
  throw faultOf(answer.status, text)
}

/** Returns what an answer says. Throws HOST_FAILED when it is none of a jobs API. */
async function viewOf<View>(answer: Response): Promise<View> {
  const view: unknown = await answer.json().catch((cause: unknown) => {
    throw fault('HOST_FAILED', `what answers at ${answer.url} is no jobs API`, { cause })
  })
  if (typeof view === 'object' && view !== null) return view as View
  throw fault('HOST_FAILED', `what answers at ${answer.url} is no jobs API`)
}

function faultOf(status: number, text: string): Fault {
  const body = parse(text)
  const problem = fromProblem(body)
  if (problem) return problem
  const { detail } = (body ?? {}) as { detail?: unknown }
  if (typeof detail === 'string') return fault('ACCOUNT_INVALID', detail)
  return fault('HOST_FAILED', `the jobs API answered ${status}`)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Whatever answers there, it is no API of ours; the status says the rest.
    return undefined
  }
}

/** A replica or the door that went away comes back. */
function isWorthAnother(error: unknown): boolean {
  return !(error instanceof Fault) || error.code === 'HOST_FAILED' || error.retry !== 'never'
}
