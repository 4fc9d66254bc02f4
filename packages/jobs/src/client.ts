import { type Fault, fromProblem } from '@drover/kernel'
import { fault } from './errors.ts'

/** One job as the API shows it. */
export interface JobView {
  readonly id: string
  readonly url: string
  readonly type: 1 | 2 | 3
  readonly state: string
  readonly attempt: number
  readonly reason?: { readonly code: string; readonly message: string }
}

/** Where the API is, and who asks. */
export interface ClientOptions {
  readonly url: string
  readonly token: string
}

/** The longest wait for an answer, in ms; watches are not bound by it. */
const answerMs = 30_000

/** Talks to a jobs API. Everything throws the fault that the API answered with, or HOST_FAILED. */
export class JobsClient {
  readonly #options: ClientOptions

  constructor(options: ClientOptions) {
    this.#options = options
  }

  /** Submits one job for each address, as one batch. */
  async submit(
    urls: readonly string[],
    more: { readonly type: number; readonly callbackUrl?: string },
  ): Promise<{ readonly batch: string; readonly ids: readonly string[] }> {
    const body = JSON.stringify({ jobs: urls.map((url) => ({ url, ...more })) })
    return (await this.#call('POST', '/v1/batches', body)).json() as Promise<{
      batch: string
      ids: string[]
    }>
  }

  /** The newest jobs first. */
  async list(query: Readonly<Record<string, string>>): Promise<readonly JobView[]> {
    const answer = await this.#call('GET', `/v1/jobs?${new URLSearchParams(query)}`)
    return ((await answer.json()) as { jobs: JobView[] }).jobs
  }

  async cancel(id: string): Promise<JobView> {
    const path = `/v1/jobs/${encodeURIComponent(id)}/cancel`
    return (await this.#call('POST', path)).json() as Promise<JobView>
  }

  async retry(id: string): Promise<JobView> {
    const path = `/v1/jobs/${encodeURIComponent(id)}/retry`
    return (await this.#call('POST', path)).json() as Promise<JobView>
  }

  /** What the job made of its page. */
  async result(id: string): Promise<Uint8Array> {
    const answer = await this.#call('GET', `/v1/jobs/${encodeURIComponent(id)}/result`)
    return new Uint8Array(await answer.arrayBuffer())
  }

  /** Own jobs as they change; those of a batch until all have ended. */
  async *watch(batch?: string): AsyncGenerator<JobView> {
    const query = batch === undefined ? '' : `?${new URLSearchParams({ batch })}`
    const answer = await this.#send('GET', `/v1/jobs/watch${query}`)
    let rest = ''
    const decoder = new TextDecoder()
    for await (const part of answer.body ?? []) {
      const events = (rest + decoder.decode(part as Uint8Array, { stream: true })).split('\n\n')
      rest = events.pop() ?? ''
      for (const event of events) {
        const data = /^event: job\ndata: (.*)$/.exec(event)?.[1]
        if (data !== undefined) yield JSON.parse(data) as JobView
      }
    }
  }

  #call(method: string, path: string, body?: string): Promise<Response> {
    return this.#send(method, path, body, AbortSignal.timeout(answerMs))
  }

  async #send(
    method: string,
    path: string,
    body?: string,
    signal?: AbortSignal,
  ): Promise<Response> {
    const { url, token } = this.#options
    const answer = await fetch(new URL(path, url), {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body }),
      ...(signal ? { signal } : {}),
    }).catch((cause: unknown) => {
      throw fault('HOST_FAILED', `no jobs API answers at ${url}`, { cause })
    })
    if (answer.ok) return answer
    throw await faultOf(answer)
  }
}

async function faultOf(answer: Response): Promise<Fault> {
  const problem = fromProblem(await answer.json().catch(() => undefined))
  return problem ?? fault('HOST_FAILED', `the jobs API answered ${answer.status}`)
}
