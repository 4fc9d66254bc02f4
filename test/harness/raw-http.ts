import { connect, type Socket } from 'node:net'

/** A connection on which a test writes and reads bytes as they are. */
export interface RawConnection {
  readonly socket: Socket
  write(text: string): void
  /** Everything that came so far. */
  received(): string
  /** Holds as soon as the other side has ended or broken the connection. */
  closed(): boolean
}

/** Connects to the host and port of `url`. */
export async function connectRaw(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  let received = ''
  let closed = false
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    closed = true
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  return {
    socket,
    write: (text) => socket.write(text, 'latin1'),
    received: () => received,
    closed: () => closed,
  }
}
