import { type Http2Session, performServerHandshake, type ServerHttp2Stream } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { Http2Client } from './http2-client.ts'
import type { Connection, DoorListener } from './listener.ts'

const streamsMax = 128

/** Serves one HTTP/2 connection: each stream becomes an exchange of its own. */
export function serveHttp2(listener: DoorListener, socket: TLSSocket, address: string): Connection {
  const session = performServerHandshake(socket, {
    settings: { maxConcurrentStreams: streamsMax, enableConnectProtocol: false },
    maxHeaderListPairs: listener.plan.limits.headersMax + 8,
    maxSessionMemory: 10,
    maxSessionInvalidFrames: 100,
    // Replicas may send a field twice that HTTP allows once; node would throw for it.
    strictSingleValueFields: false,
  })
  const connection: Connection = {
    retire: () => session.close(),
    destroy: () => session.destroy(),
  }
  guard(session, listener)
  // The socket may be half open, which HTTP/2 does not know: a client that ends is gone.
  socket.on('end', () => session.destroy())
  session.on('stream', (stream: ServerHttp2Stream, headers) => {
    new Http2Client(listener, stream, address).begin(headers)
  })
  session.on('close', () => listener.forget(connection))
  return connection
}

/** An idle session is closed; a broken one takes nothing else with it. */
function guard(session: Http2Session, listener: DoorListener): void {
  session.setTimeout(listener.plan.timeouts.idleMs, () => session.close())
  session.on('error', () => session.destroy())
}
