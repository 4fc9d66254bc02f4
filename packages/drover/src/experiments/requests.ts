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

/** Open connections to one server, on each of which one request after the other is sent. */
export interface Crowd {
  /**
   * Sends a GET on each, so that all requests are there at the same time. The answer's `Server: ID` says who
   * gave it. One that has failed fails from then on.
   */
  ask(): Promise<Together>
  stop(): Promise<void>
}

/** Opens `count` connections to `url`; resolves when all are open, or have failed. */
export async function openCrowd(
  url: URL,
  count: number,
  clock: Clock = systemClock,
): Promise<Crowd> {
  const missing: string[] = []
  const sockets = await openAll(url, count, (reason) => missing.push(reason))
  return {
    async ask() {
      const byServer = new Map<string, number>()
      const failures = new Map<string, number>()
      const add = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1)
      for (const reason of missing) add(failures, reason)
      const startMs = clock.monotonic()
      const answers = await Promise.all(sockets.map((socket) => askOn(socket, url)))
      for (const answer of answers)
        if (answer.server === undefined) add(failures, answer.failure)
        else add(byServer, answer.server)
      return { byServer, failures, elapsedMs: clock.monotonic() - startMs }
    },
    async stop() {
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** Sends `count` requests at the same time, each on a connection of its own that was opened before. */
export async function sendTogether(url: URL, count: number): Promise<Together> {
  const crowd = await openCrowd(url, count)
  try {
    return await crowd.ask()
  } finally {
    await crowd.stop()
  }
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
      // Between two requests nobody listens; the next one finds it closed.
      socket.on('error', () => {})
      socket.setEncoding('latin1')
      resolve(socket)
    })
    socket.once('error', reject)
  })
}

type Asked = { readonly server: string } | { readonly server: undefined; readonly failure: string }

function askOn(socket: Socket, url: URL): Promise<Asked> {
  return new Promise((resolve) => {
    let text = ''
    const finish = (asked: Asked) => {
      socket.off('data', take).off('error', fail).off('close', close)
      if (asked.server === undefined) socket.destroy()
      resolve(asked)
    }
    const fail = (error: Error) => finish({ server: undefined, failure: error.message })
    const close = () => finish({ server: undefined, failure: 'it was closed' })
    const take = (chunk: string) => {
      text += chunk
      if (isWhole(text)) finish(asAsked(text))
    }
    if (socket.destroyed) return close()
    socket.on('data', take).on('error', fail).on('close', close)
    socket.write(`GET ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\n\r\n`)
  })
}

/** The sample server and the door both tell how long an answer is. */
function isWhole(text: string): boolean {
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd < 0) return false
  const length = /^content-length: *(\d+)/im.exec(text.slice(0, headEnd))?.[1] ?? '0'
  return text.length >= headEnd + 4 + Number(length)
}

function asAsked(text: string): Asked {
  const server = /Server: ([^"\s]+)/.exec(text.slice(text.indexOf('\r\n\r\n')))?.[1]
  const status = text.split(' ', 2)[1] ?? 'no answer'
  return status === '200' && server !== undefined
    ? { server }
    : { server: undefined, failure: status }
}
