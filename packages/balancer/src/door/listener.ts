import { createServer, type Server, type Socket } from 'node:net'
import { fault } from '../errors.ts'
import type { LineFile } from '../line-file.ts'
import type { ListenerPlan, ListenerStats } from '../plan.ts'
import { type AccessEntry, accessLine } from './access-log.ts'
import { ClientConnection } from './client-connection.ts'
import { createTrust, plainAddress } from './forwarding.ts'
import { serveHttp2 } from './http2-front.ts'
import type { RequestHead } from './parsing/request-head.ts'
import { readProxyHeader } from './proxy-protocol.ts'
import type { RefusedLog } from './refused-log.ts'
import { Router } from './router.ts'
import type { DoorContext, Service } from './service.ts'
import { acceptReading, type Receive, streamReading } from './sockets.ts'
import { TcpConnection } from './tcp-connection.ts'
import { TlsFront } from './tls-front.ts'
import type { TraceExport } from './trace-export.ts'

/** One client's connection, of whatever protocol. */
export interface Connection {
  /** Closes at once when idle, else behind what is under way. */
  retire(): void
  destroy(): void
}

/** What a listener shares with the others of its door. */
export interface ListenerShared {
  readonly context: DoorContext
  readonly services: ReadonlyMap<string, Service>
  readonly refused: RefusedLog
  accessLog: LineFile | undefined
  traces: TraceExport | undefined
  /** Several processes listen on one address (SO_REUSEPORT). */
  readonly reusePort: boolean
}

const backlog = 4_096

/** One address that clients connect to, and the connections that came in there. */
export class DoorListener {
  plan: ListenerPlan
  router: Router
  trust: (address: string) => boolean
  /** No more requests are taken on the connections there are. */
  retiring = false
  readonly #shared: ListenerShared
  readonly #server: Server
  readonly #connections = new Set<Connection>()
  /** Sockets that have still to show a PROXY header or to shake hands. */
  readonly #pending = new Set<Socket>()
  #tls: TlsFront | undefined
  #total = 0
  #refusedConnections = 0

  constructor(plan: ListenerPlan, trustedProxies: readonly string[], shared: ListenerShared) {
    this.plan = plan
    this.#shared = shared
    this.router = new Router(plan.routes)
    this.trust = createTrust(trustedProxies)
    this.#server = createServer(
      { allowHalfOpen: true, noDelay: true, pauseOnConnect: true },
      (socket) => this.#accept(socket),
    )
    this.apply(plan, trustedProxies)
  }

  get context(): DoorContext {
    return this.#shared.context
  }

  get services(): ReadonlyMap<string, Service> {
    return this.#shared.services
  }

  /** Somebody wants to know of each request. */
  get isRecording(): boolean {
    return this.#shared.accessLog !== undefined || this.#shared.traces !== undefined
  }

  /** How many of the traces that begin here are to be sampled, 0 to 1. */
  get sampleShare(): number {
    return this.#shared.traces?.plan.sampleShare ?? 0
  }

  record(head: RequestHead, entry: AccessEntry): void {
    this.#shared.accessLog?.write(accessLine(head, entry, this.context.clock.now()))
    this.#shared.traces?.record(head, entry)
  }

  /** The port it really has. */
  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  /** Takes connections from now on. Throws PLAN_REFUSED when the address cannot be had. */
  async listen(): Promise<void> {
    const { host, port } = this.plan
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (cause) =>
        reject(
          fault('PLAN_REFUSED', `listener ${this.plan.name}: cannot listen on ${host}:${port}`, {
            cause,
          }),
        ),
      )
      const { reusePort } = this.#shared
      this.#server.listen({ host, port, backlog, reusePort }, () => resolve())
    })
    this.#server.removeAllListeners('error')
    this.#server.on('error', (error) =>
      this.context.emit({
        kind: 'trouble',
        reason: `listener ${this.plan.name}: ${error.message}`,
      }),
    )
  }

  /** Moves to `plan`, which has the same address; connections go on. */
  apply(plan: ListenerPlan, trustedProxies: readonly string[]): void {
    const before = this.plan
    this.plan = plan
    this.router = new Router(plan.routes)
    this.trust = createTrust(trustedProxies)
    const isAlike =
      before.tls?.http2 === plan.tls?.http2 && before.timeouts.headMs === plan.timeouts.headMs
    if (!plan.tls) this.#tls = undefined
    else if (this.#tls && isAlike) this.#tls.apply(plan.name, plan.tls)
    else this.#tls = new TlsFront(plan.name, plan.tls, plan.timeouts.headMs)
  }

  forget(connection: Connection): void {
    this.#connections.delete(connection)
  }

  countRefused(client: string, status: number, reason: string, bytes: Buffer): void {
    this.#shared.refused.record(this.plan.name, client, status, reason, bytes)
  }

  /** Takes no more connections; those there are end what they have. */
  retire(): void {
    this.retiring = true
    this.#server.close()
    for (const connection of [...this.#connections]) connection.retire()
  }

  /** Closes every connection at once. */
  destroy(): void {
    this.retire()
    for (const connection of [...this.#connections]) connection.destroy()
    for (const socket of this.#pending) socket.destroy()
  }

  get connectionsOpen(): number {
    return this.#connections.size + this.#pending.size
  }

  stats(): ListenerStats {
    return {
      name: this.plan.name,
      connectionsOpen: this.connectionsOpen,
      connectionsTotal: this.#total,
      connectionsRefusedTotal: this.#refusedConnections,
      refusedTotal: this.#shared.refused.countsOf(this.plan.name),
    }
  }

  #accept(socket: Socket): void {
    this.#total++
    if (this.connectionsOpen >= this.plan.limits.connectionsMax) {
      this.#refusedConnections++
      socket.destroy()
      return
    }
    const address = plainAddress(socket.remoteAddress)
    if (!this.plan.acceptProxyProtocol) {
      this.#serve(socket, address)
      return
    }
    const { deadlines } = this.context
    this.#pending.add(socket)
    readProxyHeader(socket, deadlines, this.plan.timeouts.headMs, (told) => {
      this.#pending.delete(socket)
      if (told === undefined) this.#refusedConnections++
      else this.#serve(socket, told.address || address, told.rest)
    })
  }

  /** `rest` was read behind a PROXY header already. */
  #serve(socket: Socket, address: string, rest?: Buffer): void {
    if (this.#tls) {
      if (rest && rest.length > 0) socket.unshift(rest)
      this.#secure(socket, address, this.#tls)
      return
    }
    const connection = this.#connect(address, false, (receive) => acceptReading(socket, receive))
    if (rest && rest.length > 0) connection?.receive(rest, rest.length)
  }

  /** Adds the connection whose socket `attach` makes ready to read. */
  #connect(
    address: string,
    secure: boolean,
    attach: (receive: Receive) => Socket,
  ): ClientConnection | TcpConnection | undefined {
    let connection: ClientConnection | TcpConnection | undefined
    const socket = attach((bytes, length) => connection?.receive(bytes, length))
    const service = this.services.get(this.plan.service ?? '')
    if (this.plan.protocol === 'http')
      connection = new ClientConnection(this, socket, address, secure)
    else if (service) connection = new TcpConnection(this, service, socket, address)
    else socket.destroy()
    if (connection) this.#connections.add(connection)
    return connection
  }

  #secure(socket: Socket, address: string, tls: TlsFront): void {
    this.#pending.add(socket)
    socket.once('close', () => this.#pending.delete(socket))
    tls.accept(socket, (secured) => {
      this.#pending.delete(socket)
      if (secured.alpnProtocol === 'h2') this.#connections.add(serveHttp2(this, secured, address))
      else this.#connect(address, true, (receive) => streamReading(secured, receive))
    })
  }
}
