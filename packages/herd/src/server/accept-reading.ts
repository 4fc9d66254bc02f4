import { Socket } from 'node:net'

const readBytes = 65_536

/**
 * All connections of clients read into this one buffer: what is read is handled to its end before
 * the next read. Otherwise node makes a buffer of 64 KiB for each read.
 */
const shared = Buffer.allocUnsafeSlow(readBytes)

/** What a server's socket is made from. Node does not document it, so it may be missing. */
interface HandleOwner {
  _handle?: object | null
}

/**
 * Makes a socket that a server accepted read into the shared buffer; its handle moves to a socket
 * that was made for that, because a server's own sockets cannot be. Where that is not possible the
 * socket reads as it always does.
 */
export function acceptReading(
  accepted: Socket,
  receive: (socket: Socket) => (bytes: Uint8Array, length: number) => void,
): Socket {
  const { _handle: handle } = accepted as HandleOwner
  if (!handle) {
    const take = receive(accepted)
    return accepted.on('data', (bytes: Buffer) => take(bytes, bytes.length))
  }
  ;(accepted as HandleOwner)._handle = null
  // Without its handle it only tells the server that it is gone, so that the server can close.
  accepted.destroy()
  let take: (bytes: Uint8Array, length: number) => void = () => {}
  const onread = {
    buffer: shared,
    callback: (length: number, bytes: Uint8Array) => {
      take(bytes, length)
      return true
    },
  }
  const options = { handle, allowHalfOpen: true, onread } as ConstructorParameters<typeof Socket>[0]
  const socket = new Socket(options)
  take = receive(socket)
  socket.resume()
  return socket
}
