import { connect, type Socket } from 'node:net'
import { type Clock, systemClock } from '@drover/kernel'

/** What came of requests sent together. */
export interface Together {
  /** Answers by the replica that gave them. */
  readonly byServer: ReadonlyMap<string, number>
  /** Requests without a good answer, by what was seen. */
  readonly failures: ReadonlyMap<string, number>
  /** From the first request sent to the last answer, in ms. */
  readonly elapsedMs: number
}

/** So many connections are opened at one time, because a listener's queue is no longer than this. */
const openingMax = 256
/** A connection or an answer that takes longer has failed. */
const waitMsMax = 60_000

/**
 * Opens `count` connections to `url`, and only when all are open sends a GET on each, so that all
 * requests are there at the same time. The answer's `Server: ID` says who gave it.
 */
export async function sendTogether(
  url: URL,
  count: number,
  clock: Clock = systemClock,
): Promise<Together> {
  const byServer = new Map<string, number>()
  const failures = new Map<string, number>()
  const add = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1)

  const sockets = await openAll(url, count, (reason) => add(failures, reason))
  const startMs = clock.monotonic()
  const answers = await Promise.all(sockets.map((socket) => askOn(socket, url)))
  for (const answer of answers)
    if (answer.server === undefined) add(failures, answer.failure)
    else add(byServer, answer.server)
  return { byServer, failures, elapsedMs: clock.monotonic() - startMs }
}

async function openAll(
  url: URL,
  count: number,
  onFailure: (reason: string) => void,
): Promise<Socket[]> {
  const sockets: Socket[] = []
  let left = count
  const opener = async () => {
    while (left-- > 0) {
      try {
        sockets.push(await open(url))
      } catch (error) {
        onFailure((error as Error).message)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(openingMax, count) }, opener))
  return sockets
}

function open(url: URL): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(url.port), url.hostname)
    socket.setTimeout(waitMsMax, () => socket.destroy(new Error('timeout')))
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
    socket.once('error', reject)
  })
}

type Asked = { readonly server: string } | { readonly server: undefined; readonly failure: string }

function askOn(socket: Socket, url: URL): Promise<Asked> {
  return new Promise((resolve) => {
    let text = ''
    const failed = (failure: string) => resolve({ server: undefined, failure })
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk
    })
    socket.on('error', (error) => failed(error.message))
    socket.on('close', () => {
      const server = /Server: ([^"\s]+)/.exec(text.slice(text.indexOf('\r\n\r\n')))?.[1]
      const status = text.split(' ', 2)[1] ?? 'no answer'
      if (status === '200' && server !== undefined) resolve({ server })
      else failed(status)
    })
    socket.write(`GET ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: close\r\n\r\n`)
  })
}
