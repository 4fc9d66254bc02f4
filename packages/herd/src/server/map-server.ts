import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type Address, type Clock, createHttpServer, type Service, silentLog } from '@drover/kernel'
import { WebSocketServer } from 'ws'
import { fault } from '../errors.ts'
import type { HerdNode } from '../flood/node.ts'
import type { PlaceService } from '../places/place-service.ts'
import type { Fences } from '../state/fences.ts'
import type { LineProtocol } from './line-protocol.ts'
import type { LineServer } from './line-server.ts'
import { LiveSocket } from './live-socket.ts'
import { addMapRoutes } from './map-routes.ts'

/** What the HTTP side tells of. */
export interface MapServerOptions {
  readonly name: string
  readonly address: Address
  readonly node: HerdNode
  readonly fences: Fences
  readonly places: PlaceService
  readonly lines: LineServer
  readonly protocol: LineProtocol
  readonly clock: Clock
  readonly fencesMax: number
}

/** Subscribers at a time. */
const socketsMax = 200
const requestBytesMax = 65_536

/** The HTTP and WebSocket port: where clients are, who enters a fence, and figures. */
export class MapServer implements Service {
  readonly #options: MapServerOptions
  readonly #live = new Set<LiveSocket>()
  #http: Awaited<ReturnType<typeof createHttpServer>> | undefined
  #sockets: WebSocketServer | undefined

  constructor(options: MapServerOptions) {
    this.#options = options
  }

  /** The port that it really has; 0 before the start. */
  get port(): number {
    const address = this.#http?.server.address()
    return typeof address === 'object' && address ? address.port : 0
  }

  async start(): Promise<void> {
    if (this.#http) return
    const { name, address } = this.#options
    const http = await createHttpServer({
      title: `Drover herd: ${name}`,
      description: 'Where the clients of the herd are. WebSocket: /v1/live.',
      log: silentLog,
    })
    http.addHook('onRequest', async ({ headers }) => {
      if (!isLocalCall(headers)) throw fault('PEER_REFUSED', 'a page of another site may not ask')
    })
    addMapRoutes(http, this.#options)
    const sockets = new WebSocketServer({ noServer: true, maxPayload: requestBytesMax })
    http.server.on('upgrade', (request, socket, head) =>
      this.#upgrade(sockets, request, socket, head),
    )
    await http.listen({ ...address })
    this.#http = http
    this.#sockets = sockets
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets?.clients ?? []) socket.terminate()
    await this.#http?.close()
    this.#http = undefined
  }

  /** A client moved. */
  moved(slot: number): void {
    for (const live of this.#live) live.moved(slot)
  }

  /** A client's lifetime is over; the slot still holds it. */
  expired(slot: number): void {
    for (const live of this.#live) live.expired(slot)
  }

  #upgrade(sockets: WebSocketServer, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const isOurs = request.url?.split('?')[0] === '/v1/live' && isLocalCall(request.headers)
    if (!isOurs || this.#live.size >= socketsMax) {
      socket.end(`HTTP/1.1 ${isOurs ? '503 Service Unavailable' : '404 Not Found'}\r\n\r\n`)
      return
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const { node, fences, clock, fencesMax } = this.#options
      const live = new LiveSocket(webSocket, { state: node.state, fences, clock, fencesMax })
      this.#live.add(live)
      webSocket.on('close', () => this.#live.delete(live))
    })
  }
}

/**
 * Pages of other sites may not ask where people are: a browser tells by Origin, and a name in Host
 * that is no address gives away one that was bent to this machine.
 */
function isLocalCall({ origin, host = '' }: IncomingMessage['headers']): boolean {
  if (!isLocalName(host)) return false
  if (origin === undefined) return true
  return URL.canParse(origin) && isLocalName(new URL(origin).host)
}

function isLocalName(host: string): boolean {
  return /^(localhost|[\d.]+|\[[\da-f:.]+\])(:\d+)?$/i.test(host)
}
