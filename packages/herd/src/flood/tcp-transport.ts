import { connect, createServer, type Server, type Socket } from 'node:net'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { type Address, formatAddress } from '@drover/kernel'
import {
  type Channel,
  type ChannelHandler,
  type OnChannel,
  strangerBytesMax,
  type Transport,
} from './transport.ts'

/** Certificates for mutual TLS between servers: PEM texts. */
export interface PeerTls {
  readonly certificate: string
  readonly key: string
  /** The authority that both ends' certificates must come from. */
  readonly authority: string
}

const lengthBytes = 4
const connectMs = 2_000
const noHandler: ChannelHandler = { message() {}, closed() {} }

/** Returns the transport over TCP; with `tls` each end must show a certificate of the authority. */
export function createTcpTransport(tls?: PeerTls): Transport {
  const secure = tls && {
    cert: tls.certificate,
    key: tls.key,
    ca: tls.authority,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3' as const,
  }
  return {
    listen(address, onChannel) {
      const sockets = new Set<Socket>()
      const accept = (socket: Socket) => {
        sockets.add(socket)
        socket.on('close', () => sockets.delete(socket))
        open(socket, onChannel)
      }
      const server = secure
        ? createTlsServer(secure, accept)
        : createServer({ noDelay: true }, accept)
      return listen(server, address, sockets)
    },
    dial(address, onChannel, onFailed) {
      const isOpen = () => {
        socket.off('error', fail)
        socket.setTimeout(0)
        open(socket, onChannel)
      }
      const socket = secure
        ? connectTls({ ...secure, ...address, checkServerIdentity: () => undefined }, isOpen)
        : connect({ ...address, noDelay: true }, isOpen)
      const fail = (error: Error) => {
        socket.destroy()
        onFailed(error.message || 'it cannot be reached')
      }
      socket.on('error', fail)
      socket.setTimeout(connectMs, () => fail(new Error('it does not answer')))
      return () => {
        if (!socket.connecting) return
        socket.off('error', fail)
        socket.on('error', () => {})
        socket.destroy()
      }
    },
  }
}

async function listen(
  server: Server,
  { host, port }: Address,
  sockets: ReadonlySet<Socket>,
): Promise<{ port: number; stop(): Promise<void> }> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      server.on('error', () => {}) // Accepting failed once (no descriptors left): the next may work.
      resolve()
    })
  })
  const bound = server.address()
  return {
    port: typeof bound === 'object' && bound ? bound.port : port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroySoon()
      }),
  }
}

/** Cuts a socket's bytes into messages: a length of four bytes, then so many bytes. */
function open(socket: Socket, onChannel: OnChannel): void {
  let handler = noHandler
  let messageBytesMax = strangerBytesMax
  let isOpen = true
  let kept: Buffer = Buffer.alloc(0)
  const end = (reason: string) => {
    if (!isOpen) return
    isOpen = false
    socket.destroy()
    handler.closed(reason)
  }
  const channel: Channel = {
    remote: formatAddress({ host: socket.remoteAddress ?? '?', port: socket.remotePort ?? 0 }),
    send(message) {
      if (!isOpen) return
      const framed = Buffer.allocUnsafe(lengthBytes + message.length)
      framed.writeUInt32BE(message.length)
      framed.set(message, lengthBytes)
      socket.write(framed)
    },
    allow(bytesMax) {
      messageBytesMax = bytesMax
    },
    close() {
      isOpen = false
      socket.destroySoon()
    },
  }
  socket.setKeepAlive(true, 5_000)
  socket.on('error', (error) => end(error.message))
  socket.on('close', () => end('the other end closed'))
  socket.on('end', () => end('the other end closed'))
  socket.on('data', (chunk: Buffer) => {
    let bytes = kept.length === 0 ? chunk : Buffer.concat([kept, chunk])
    while (isOpen && bytes.length >= lengthBytes) {
      const length = bytes.readUInt32BE()
      if (length === 0 || length > messageBytesMax) return end('a message is too long')
      if (bytes.length < lengthBytes + length) break
      handler.message(bytes.subarray(lengthBytes, lengthBytes + length))
      bytes = bytes.subarray(lengthBytes + length)
    }
    kept = isOpen ? bytes : Buffer.alloc(0)
  })
  handler = onChannel(channel)
}
