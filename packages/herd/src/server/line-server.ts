import { createServer, type Server } from 'node:net'
import type { Address, Cancel, Clock, Service } from '@drover/kernel'
import { KeptBytes } from '../protocol/kept-bytes.ts'
import { acceptReading } from './accept-reading.ts'
import type { ActivityLog } from './activity-log.ts'
import { ClientConnection, type ConnectionOptions, type LineHandler } from './client-connection.ts'

/** What the port of clients is made of. */
export interface LineServerOptions {
  readonly address: Address
  readonly handler: LineHandler
  readonly clock: Clock
  readonly log: ActivityLog | undefined
  /** One more is closed at once. */
  readonly connectionsMax: number
  /** All connections together keep so many bytes of lines that have not ended. */
  readonly keptBytesMax: number
  /** All clients together may leave so much unread; beyond it those furthest behind are dropped. */
  readonly unreadBytesMax: number
  readonly partialLineMs: number
  readonly idleMs: number
}

/** How often stalled and idle connections are looked for. */
const checkMs = 500

/** The TCP port that clients speak the line protocol with. */
export class LineServer implements Service {
  readonly #options: LineServerOptions
  readonly #connections = new Set<ClientConnection>()
  readonly #kept: KeptBytes
  #server: Server | undefined
  #lastId = 0
  #refused = 0
  #stopChecks: Cancel = () => {}

  constructor(options: LineServerOptions) {
    this.#options = options
    this.#kept = new KeptBytes(options.keptBytesMax)
  }

  /** The port that it really has; 0 before the start. */
  get port(): number {
    const address = this.#server?.address()
    return typeof address === 'object' && address ? address.port : 0
  }

  get connections(): number {
    return this.#connections.size
  }

  /** Bytes kept of lines that have not ended. */
  get keptBytes(): number {
    return this.#kept.bytes
  }

  /** Connections that were closed at once because there were too many. */
  get refused(): number {
    return this.#refused
  }

  async start(): Promise<void> {
    if (this.#server) return
    const { address, clock } = this.#options
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (accepted) => {
      if (this.#connections.size >= this.#options.connectionsMax) {
        this.#refused++
        this.#options.log?.event('herd.client.refused', { open: this.#connections.size })
        accepted.destroy()
        return
      }
      acceptReading(accepted, (socket) => {
        const connection = new ClientConnection(++this.#lastId, socket, this.#connectionOptions())
        this.#connections.add(connection)
        this.#options.log?.event('herd.client.connected', { c: connection.id })
        return (bytes, length) => connection.receive(bytes, length)
      })
    })
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ ...address, backlog: 1_024 }, () => {
        server.off('error', reject)
        server.on('error', (error) =>
          this.#options.log?.event('herd.port.error', { error: error.message }),
        )
        resolve()
      })
    })
    this.#stopChecks = clock.every(checkMs, () => {
      const nowMs = clock.monotonic()
      for (const connection of this.#connections) connection.check(nowMs)
      this.#dropFurthestBehind()
    })
  }

  async stop(): Promise<void> {
    this.#stopChecks()
    const server = this.#server
    this.#server = undefined
    if (!server) return
    const closed = new Promise((resolve) => server.close(resolve))
    for (const connection of this.#connections) connection.close()
    await closed
  }

  /** Answers that nobody reads must not fill the memory, however many connections share in it. */
  #dropFurthestBehind(): void {
    const { unreadBytesMax, log } = this.#options
    let bytes = 0
    for (const connection of this.#connections) bytes += connection.unreadBytes
    if (bytes <= unreadBytesMax) return
    const behind = [...this.#connections].sort((one, other) => other.unreadBytes - one.unreadBytes)
    for (const connection of behind) {
      if (bytes <= unreadBytesMax) return
      bytes -= connection.unreadBytes
      log?.event('herd.client.dropped', { c: connection.id, unreadBytes: connection.unreadBytes })
      connection.drop()
    }
  }

  #connectionOptions(): ConnectionOptions {
    const { clock, log, handler, partialLineMs, idleMs } = this.#options
    return {
      clock,
      log,
      handler,
      kept: this.#kept,
      partialLineMs,
      idleMs,
      onClose: (connection) => {
        this.#connections.delete(connection)
        log?.event('herd.client.gone', { c: connection.id })
      },
    }
  }
}
