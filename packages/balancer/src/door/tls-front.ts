import type { Socket } from 'node:net'
import {
  createSecureContext,
  createServer,
  type SecureContext,
  type Server,
  type TLSSocket,
} from 'node:tls'
import { fault } from '../errors.ts'
import type { TlsPlan } from '../plan.ts'

/**
 * Ends TLS for a listener: chooses the certificate by server name, agrees on the protocol by ALPN.
 * Certificates are replaced without a dropped connection: those open keep what they began with.
 */
export class TlsFront {
  readonly #server: Server
  /** Who waits for the handshake of which connection; a connection is known by its client's port. */
  readonly #waiting = new Map<string, (socket: TLSSocket) => void>()
  #contexts: { names: readonly string[]; context: SecureContext }[] = []

  /** Throws PLAN_REFUSED when a certificate or key cannot be used. */
  constructor(listener: string, plan: TlsPlan, handshakeMs: number) {
    this.#contexts = contextsOf(listener, plan)
    this.#server = createServer({
      allowHalfOpen: true,
      handshakeTimeout: handshakeMs,
      minVersion: 'TLSv1.2',
      ALPNProtocols: plan.http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
      SNICallback: (name, done) => done(null, this.#choose(name)),
      ...keyPair(plan),
    })
    this.#server.on('tlsClientError', (_error, socket) => socket.destroy())
    this.#server.on('secureConnection', (socket) => {
      const secured = this.#waiting.get(nameOf(socket))
      if (secured) secured(socket)
      else socket.destroy()
    })
  }

  /** Takes up new certificates. Throws PLAN_REFUSED and keeps the old ones. */
  apply(listener: string, plan: TlsPlan): void {
    this.#contexts = contextsOf(listener, plan)
    this.#server.setSecureContext(keyPair(plan))
  }

  /** Shakes hands on `socket`; `secured` is called once that has worked. */
  accept(socket: Socket, secured: (socket: TLSSocket) => void): void {
    const name = nameOf(socket)
    const take = (candidate: TLSSocket): void => {
      this.#waiting.delete(name)
      secured(candidate)
    }
    this.#waiting.set(name, take)
    socket.once('close', () => {
      if (this.#waiting.get(name) === take) this.#waiting.delete(name)
    })
    this.#server.emit('connection', socket)
  }

  /** Exact names go before `*.example.org`; the first certificate serves unknown names. */
  #choose(name: string): SecureContext | undefined {
    const wanted = name.toLowerCase()
    const wildcard = `*.${wanted.split('.').slice(1).join('.')}`
    const find = (pattern: string) =>
      this.#contexts.find(({ names }) => names.some((own) => own.toLowerCase() === pattern))
    return (find(wanted) ?? find(wildcard) ?? this.#contexts[0])?.context
  }
}

function nameOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress}`
}

function keyPair(plan: TlsPlan): { cert?: string; key?: string } {
  const first = plan.certificates[0]
  return first ? { cert: first.certificate, key: first.key } : {}
}

/** Throws PLAN_REFUSED when a certificate of `plan` cannot be used. */
export function checkCertificates(listener: string, plan: TlsPlan): void {
  contextsOf(listener, plan)
}

function contextsOf(listener: string, plan: TlsPlan) {
  return plan.certificates.map(({ names, certificate, key }) => {
    try {
      const context = createSecureContext({ cert: certificate, key, minVersion: 'TLSv1.2' })
      return { names, context }
    } catch (cause) {
      const message = `listener ${listener}: the certificate for ${names.join(', ') || 'any name'} cannot be used`
      throw fault('PLAN_REFUSED', message, { cause })
    }
  })
}
