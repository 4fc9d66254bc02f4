import { type NetConnectOpts, Socket } from 'node:net'
import { ReadBuffers } from './read-buffers.ts'

/** Takes what a socket received. The bytes are only lent: valid during the call. */
export type Receive = (bytes: Buffer, length: number) => void

type SocketOptions = ConstructorParameters<typeof Socket>[0]

function readingInto(receive: Receive, more: object): SocketOptions {
  const buffers = new ReadBuffers()
  const callback = (length: number, bytes: Uint8Array): boolean => {
    buffers.filled(length)
    receive(bytes as Buffer, length)
    return true
  }
  return {
    allowHalfOpen: true,
    onread: { buffer: () => buffers.next(), callback },
    ...more,
  } as SocketOptions
}

/**
 * Opens a connection whose bytes go to `receive`. Nagle's algorithm is off: node heeds `noDelay`
 * only where the socket is made, not where it is connected.
 */
export function connectReading(options: NetConnectOpts, receive: Receive): Socket {
  const socket = new Socket(readingInto(receive, { noDelay: true }))
  socket.connect(options)
  return socket
}

/** What a socket that a server accepted is made from; undocumented, so its absence is expected. */
interface WithHandle {
  _handle?: object | null
}

/**
 * Makes an accepted socket read into our buffers, by moving its handle to a socket that was told so
 * when it was made (a server has no such option). Where that is not possible the socket stays as it
 * is, and node's own buffers are passed on.
 */
export function acceptReading(accepted: Socket, receive: Receive): Socket {
  const handle = (accepted as WithHandle)._handle
  if (!handle) return streamReading(accepted, receive)
  ;(accepted as WithHandle)._handle = null
  const socket = new Socket(readingInto(receive, { handle }))
  socket.resume()
  return socket
}

/** Passes on what a TLS socket (or any other) receives. */
export function streamReading<Stream extends Socket>(stream: Stream, receive: Receive): Stream {
  stream.on('data', (bytes: Buffer) => receive(bytes, bytes.length))
  return stream
}
