import { createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { type Message, readRequest } from './messages.ts'
import { Peer } from './peer.ts'

/** A request as it reached a replica. */
export interface Seen extends Message {
  readonly connection: number
}

/** A scripted replica on a port of its own. */
export interface Upstream {
  readonly port: number
  /** Every connection that was ever made to it. */
  readonly connections: readonly Peer[]
  /** Every complete request, in the order of their ends. */
  readonly requests: readonly Seen[]
  /** Everything that reached it, of all connections. */
  readonly text: string
  /** Ends it: nobody listens on its port any more. */
  close(): Promise<void>
  /** Listens again on the same port. */
  reopen(): Promise<void>
}

/** What a replica does on a complete request; a text that it returns is sent. */
export type Answering = (request: Seen, peer: Peer) => string | undefined

export interface UpstreamOptions {
  readonly answer?: Answering
  /** Instead of reading requests: what to do with each connection. */
  readonly connection?: (peer: Peer, index: number) => void
}

/** An answer with a Content-Length. */
export function ok(body = 'ok', lines = ''): string {
  return `HTTP/1.1 200 OK\r\ncontent-length: ${Buffer.byteLength(body, 'latin1')}\r\n${lines}\r\n${body}`
}

/** Starts a replica; without options it answers every request with `ok`. */
export async function startUpstream(
  t: TestContext,
  { answer = () => ok(), connection }: UpstreamOptions = {},
): Promise<Upstream> {
  const connections: Peer[] = []
  const requests: Seen[] = []
  const accept = (socket: Socket): void => {
    const peer = new Peer(socket)
    const index = connections.push(peer) - 1
    if (connection) connection(peer, index)
    else readRequests(peer, index, requests, answer)
  }
  const server = createServer({ allowHalfOpen: true, noDelay: true }, accept)
  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject)
        resolve()
      })
    })
  const close = async () => {
    for (const peer of connections) peer.socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
  await listen(0)
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  t.after(close)
  return {
    port,
    connections,
    requests,
    get text() {
      return connections.map((peer) => peer.text).join('')
    },
    close,
    reopen: () => listen(port),
  }
}

function readRequests(peer: Peer, index: number, requests: Seen[], answer: Answering): void {
  let at = 0
  peer.onChange(() => {
    for (;;) {
      const request = readRequest(peer.bytes, at)
      if (!request) break
      at = request.end
      const seen = { ...request, connection: index }
      requests.push(seen)
      const text = answer(seen, peer)
      if (text !== undefined && !peer.socket.destroyed) peer.send(text)
    }
    if (peer.ended) peer.socket.end()
  })
}
