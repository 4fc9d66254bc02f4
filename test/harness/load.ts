import { Agent, request } from 'node:http'

/** What came of a stream of GETs. */
export interface LoadResult {
  readonly total: number
  /** Answers that were not 200, and requests that broke, by what was seen. */
  readonly failures: Readonly<Record<string, number>>
  /** 200s by body. */
  readonly bodies: Readonly<Record<string, number>>
}

/** GETs on a few kept-alive connections, until they are told to stop. */
export interface Load {
  /** How many were answered so far. */
  readonly answered: number
  stop(): Promise<LoadResult>
}

/** How a load behaves. */
export interface LoadOptions {
  /**
   * Sends a request again, on a new connection, whose kept connection was closed before it was
   * answered, as browsers do: a server may close it at the moment when a request is on its way there.
   */
  readonly repeats?: boolean
}

/** Starts `clients` connections that each ask for `url` again as soon as they are answered. */
export function startLoad(url: string, clients: number, options: LoadOptions = {}): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const fresh = new Agent({ keepAlive: false })
  const bodies: Record<string, number> = {}
  const failures: Record<string, number> = {}
  const count = (where: Record<string, number>, what: string) => {
    where[what] = (where[what] ?? 0) + 1
  }
  let total = 0
  let running = true

  const client = async () => {
    while (running) {
      const first = await get(url, agent)
      const again = first.status === 0 && options.repeats
      const { status, body } = again ? await get(url, fresh) : first
      total++
      if (status === 200) count(bodies, body)
      else count(failures, `${status} ${body}`.slice(0, 200))
    }
  }
  const clientsDone = Array.from({ length: clients }, client)
  return {
    get answered() {
      return total
    },
    async stop() {
      running = false
      await Promise.all(clientsDone)
      agent.destroy()
      return { total, failures, bodies }
    },
  }
}

/** Sends one GET; a request that breaks has status 0 and the reason as its body. */
export function get(url: string, agent?: Agent): Promise<{ status: number; body: string }> {
  return new Promise((resolve) => {
    const broken = (error: Error) => resolve({ status: 0, body: error.message })
    const sent = request(url, { agent, timeout: 15_000 }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
      response.on('error', broken)
    })
    sent.on('timeout', () => sent.destroy(new Error('no answer within 15 s')))
    sent.on('error', broken)
    sent.end()
  })
}
