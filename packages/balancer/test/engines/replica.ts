import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Server as NetServer,
  type Socket,
} from 'node:net'
import type { Duplex } from 'node:stream'
import type { ReplicaPlan } from '../../src/plan.ts'

/** A server for engines to send requests to. */
export interface TestReplica {
  readonly plan: ReplicaPlan
  /** Requests (or TCP connections) that reached it. */
  readonly count: number
  /** Requests to `/hold` that wait for `release`. */
  readonly held: number
  /** Answers what waits at `/hold`. */
  release(): void
  /** Closes the port and every connection, as its death would. */
  stop(): Promise<void>
}

/** What a replica says of the request that it got. */
export interface Seen {
  readonly name: string
  readonly method: string
  readonly url: string
  readonly headers: Record<string, string>
  readonly bodyBytes: number
}

/** Starts an HTTP replica named `name`; see `answers` for what it serves. */
export async function startReplica(name: string, weight = 1): Promise<TestReplica> {
  const waiting: ServerResponse[] = []
  let count = 0
  const server = createServer((request, answer) => {
    count++
    const path = (request.url ?? '').split('?')[0] ?? ''
    if (path === '/hold') waiting.push(answer)
    else void respond(name, path, request, answer)
  })
  server.on('upgrade', (_request: IncomingMessage, socket: Duplex) => {
    count++
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n')
    socket.pipe(socket)
    socket.on('error', () => socket.destroy())
  })
  const port = await listen(server)
  return {
    plan: { id: `web/${name}`, name, host: '127.0.0.1', port, weight, draining: false },
    get count() {
      return count
    },
    get held() {
      return waiting.length
    },
    release() {
      for (const answer of waiting.splice(0)) answer.end(JSON.stringify({ name }))
    },
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

async function respond(
  name: string,
  path: string,
  request: IncomingMessage,
  answer: ServerResponse,
): Promise<void> {
  const status = /^\/status\/(\d+)$/.exec(path)?.[1]
  if (status) {
    answer.writeHead(Number(status)).end(`replica says ${status}`)
    return
  }
  if (path === '/big') {
    answer.end(Buffer.alloc(5_000_000, name))
    return
  }
  let bodyBytes = 0
  for await (const chunk of request) bodyBytes += (chunk as Buffer).length
  const { method, url, headers } = request
  answer.setHeader('content-type', 'application/json')
  answer.end(JSON.stringify({ name, method, url, headers, bodyBytes }))
}

/** Starts a TCP replica that says its name and then echoes. */
export async function startTcpReplica(name: string): Promise<TestReplica> {
  const sockets = new Set<Socket>()
  let count = 0
  const server = createTcpServer((socket) => {
    count++
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    socket.write(`${name}\n`)
    socket.pipe(socket)
  })
  const port = await listen(server)
  return {
    plan: { id: `web/${name}`, name, host: '127.0.0.1', port, weight: 1, draining: false },
    get count() {
      return count
    },
    held: 0,
    release() {},
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

async function listen(server: NetServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
