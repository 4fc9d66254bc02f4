import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'

/** An answer, read to its end. */
export interface Answer {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: string
}

/** How a request is sent. */
export interface Ask {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer
  readonly agent?: Agent
  /** Repeat a GET also where a fresh connection was closed before a byte came back. */
  readonly repeatsFresh?: boolean
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 })

/** Closes the connections that `ask` keeps for itself. */
export function closeConnections(): void {
  agent.destroy()
}

/**
 * Sends one request to 127.0.0.1:`port` and reads the answer. As any good client it repeats a GET
 * that was sent on a kept connection just as the server closed that.
 */
export async function ask(port: number, path: string, how: Ask = {}): Promise<Answer> {
  for (let attempt = 0; ; attempt++) {
    const outcome = await askOnce(port, path, how)
    if ('status' in outcome) return outcome
    if (!outcome.isStale || attempt >= 5) throw outcome.error
  }
}

function askOnce(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body, agent: own = agent, repeatsFresh = false }: Ask,
): Promise<Answer | { readonly error: Error; readonly isStale: boolean }> {
  return new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port, path, method, headers, agent: own })
    const fail = (error: Error) =>
      resolve({ error, isStale: method === 'GET' && (asked.reusedSocket || repeatsFresh) })
    asked.once('error', fail)
    asked.once('response', (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.once('error', (error) => resolve({ error, isStale: false }))
      answer.once('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      )
    })
    asked.end(body)
  })
}

/** Load that goes on until it is stopped. */
export interface Load {
  /** Ends it; returns how many requests were answered by 200, and what the others came to. */
  stop(): Promise<{ readonly ok: number; readonly failed: readonly string[] }>
  readonly ok: number
}

/** Sends GETs on `clients` kept connections, one after the other on each. */
export function startLoad(port: number, clients: number, repeatsFresh = false): Load {
  const own = new Agent({ keepAlive: true, maxSockets: clients })
  const failed: string[] = []
  let ok = 0
  let stopped = false
  const run = async () => {
    while (!stopped) {
      try {
        const { status, body } = await ask(port, '/', { agent: own, repeatsFresh })
        if (status === 200) ok++
        else failed.push(`${status} ${body.slice(0, 200)}`)
      } catch (error) {
        failed.push(String(error))
      }
    }
  }
  const running = Promise.all(Array.from({ length: clients }, run))
  return {
    get ok() {
      return ok
    },
    async stop() {
      stopped = true
      await running
      own.destroy()
      return { ok, failed }
    },
  }
}

/** A raw connection that gathers what it is told. */
export interface Raw {
  readonly socket: Socket
  readonly text: string
  readonly closed: boolean
}

/** Connects to 127.0.0.1:`port` and sends `text`. */
export async function openRaw(port: number, text: string): Promise<Raw> {
  const socket = connect(port, '127.0.0.1')
  let gathered = ''
  let closed = false
  socket.on('data', (chunk) => {
    gathered += chunk.toString('latin1')
  })
  socket.on('error', () => socket.destroy())
  socket.on('close', () => {
    closed = true
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  socket.write(text)
  return {
    socket,
    get text() {
      return gathered
    },
    get closed() {
      return closed
    },
  }
}
