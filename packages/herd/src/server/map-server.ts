import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import {
  type Address,
  type Clock,
  createHttpServer,
  type Service,
  type Static,
  silentLog,
  Type,
} from '@drover/kernel'
import { WebSocketServer } from 'ws'
import { fault } from '../errors.ts'
import type { HerdNode } from '../flood/node.ts'
import type { PlaceService } from '../places/place-service.ts'
import type { Fences } from '../state/fences.ts'
import { EventStream } from './event-stream.ts'
import { addFenceRoutes } from './fence-routes.ts'
import type { LineProtocol } from './line-protocol.ts'
import { addLineRoutes } from './line-routes.ts'
import type { LineServer } from './line-server.ts'
import { addLinkRoutes } from './link-routes.ts'
import { LiveSocket } from './live-socket.ts'
import { addMapRoutes } from './map-routes.ts'
import type { RecordMap } from './record-map.ts'
import { addRecordRoutes } from './record-routes.ts'
import { StandingFences } from './standing-fences.ts'

/** What the HTTP side tells of. */
export interface MapServerOptions {
  readonly name: string
  readonly address: Address
  readonly node: HerdNode
  readonly fences: Fences
  readonly places: PlaceService
  readonly lines: LineServer
  readonly protocol: LineProtocol
  readonly records: RecordMap
  readonly clock: Clock
  readonly fencesMax: number
}

/** Subscribers at a time, by WebSocket and Server-Sent Events together. */
const subscribersMax = 200
const requestBytesMax = 65_536

const told = Type.Object({
  map: Type.Boolean({ default: false }),
  fences: Type.Boolean({ default: false }),
})

/** The HTTP and WebSocket port: where clients are, who enters a fence, and figures. */
export class MapServer implements Service {
  readonly #options: MapServerOptions
  readonly #live = new Set<LiveSocket | EventStream>()
  readonly #standing: StandingFences
  #http: Awaited<ReturnType<typeof createHttpServer>> | undefined
  #sockets: WebSocketServer | undefined

  constructor(options: MapServerOptions) {
    this.#options = options
    const { node, fences, clock, fencesMax } = options
    this.#standing = new StandingFences(node.state, fences, clock, fencesMax)
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
      pathPartLengthMax: 16_384,
    })
    http.addHook('onRequest', async ({ headers }) => {
      if (!isLocalCall(headers)) throw fault('HERD_FOREIGN', 'a page of another site may not ask')
    })
    addMapRoutes(http, this.#options)
    addLinkRoutes(http, this.#options.node)
    addLineRoutes(http, this.#options.protocol)
    addFenceRoutes(http, this.#standing)
    await addRecordRoutes(http, this.#options.records)
    this.#addEvents(http)
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
    for (const live of this.#live) if (live instanceof EventStream) live.stop()
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

  /** A link came up or went down. */
  linksChanged(): void {
    for (const live of this.#live) if (live instanceof EventStream) live.linksChanged()
  }

  #addEvents(http: Awaited<ReturnType<typeof createHttpServer>>): void {
    const { node, clock } = this.#options
    http.get('/v1/events', { schema: { querystring: told } }, (request, reply) => {
      const { map, fences } = request.query as Static<typeof told>
      if (this.#live.size >= subscribersMax)
        throw fault('HERD_FULL', `there are ${subscribersMax} subscribers already`)
      reply.hijack()
      const options = { node, fences: this.#standing, clock, map, crossings: fences }
      const stream = new EventStream(reply.raw, options)
      this.#live.add(stream)
      reply.raw.on('close', () => {
        this.#live.delete(stream)
        stream.stop()
      })
    })
  }

  #upgrade(sockets: WebSocketServer, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Node leaves an upgraded socket to us: a reset that nobody hears of would end the process.
    socket.on('error', () => socket.destroy())
    const isOurs = request.url?.split('?')[0] === '/v1/live' && isLocalCall(request.headers)
    if (!isOurs || this.#live.size >= subscribersMax) {
      socket.end(`HTTP/1.1 ${isOurs ? '503 Service Unavailable' : '404 Not Found'}\r\n\r\n`)
      return
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const { node, fences, clock, fencesMax } = this.#options
      const live = new LiveSocket(webSocket, socket, {
        state: node.state,
        fences,
        clock,
        fencesMax,
      })
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
