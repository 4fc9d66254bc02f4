import type { Socket } from 'node:net'
import { Timed } from './deadlines.ts'
import { plainAddress } from './forwarding.ts'
import type { Connection, DoorListener } from './listener.ts'
import { Outbox } from './outbox.ts'
import { proxyHeader } from './proxy-protocol.ts'
import type { Replica } from './replica.ts'
import { requestKeyOfClient } from './request-key.ts'
import type { Service } from './service.ts'
import { connectReading } from './sockets.ts'
import type { Waiter } from './wait-queue.ts'

const untried: readonly Replica[] = []

/**
 * One connection of a TCP service: bytes go both ways as they come, each side may end on its own.
 * Until a replica is connected nothing is read from the client, so any replica may still be tried.
 */
export class TcpConnection extends Timed implements Connection, Waiter {
  waitUntilMs = 0
  waitSinceMs = 0
  readonly #listener: DoorListener
  readonly #service: Service
  readonly #client: Socket
  readonly #toClient: Outbox
  readonly #address: string
  readonly #key: string | number
  #tried = untried
  #replica: Replica | undefined
  #upstream: Socket | undefined
  #toReplica: Outbox | undefined
  #connected = false
  /** What was read together with a PROXY header, before any replica was there to take it. */
  #early: Buffer[] = []
  #closed = false
  #startedMs: number
  #bytesIn = 0
  #bytesOut = 0

  constructor(listener: DoorListener, service: Service, client: Socket, address: string) {
    super()
    this.#listener = listener
    this.#service = service
    this.#client = client
    this.#address = address
    this.#toClient = new Outbox(client)
    this.#startedMs = listener.context.clock.monotonic()
    this.#key = requestKeyOfClient(service.plan.policy.key, address, listener.context.random)
    client.pause()
    client.setKeepAlive(true, 60_000)
    client.on('error', () => this.destroy())
    client.on('close', () => this.destroy())
    client.on('end', () => this.#upstream?.end())
    client.on('drain', () => this.#upstream?.resume())
    listener.context.deadlines.add(this)
    service.budget.request()
    if (service.admits(address)) this.#attempt()
    else this.destroy()
  }

  /** An open connection is its own request: it may go on until one side ends it. */
  retire(): void {
    if (!this.#connected) this.destroy()
  }

  /** Takes what the client sent. */
  receive(bytes: Buffer, length: number): void {
    this.#bytesIn += length
    if (!this.#connected) {
      this.#early.push(Buffer.from(bytes.subarray(0, length)))
      return
    }
    this.#toReplica?.bytes(bytes, 0, length)
    if (this.#toReplica?.flush() === false) this.#client.pause()
  }

  wake(): boolean {
    const replica = this.#service.pick(this.#key, this.#tried, undefined)
    if (replica) this.#connect(replica)
    return replica !== undefined
  }

  waitExpired(): void {
    this.#service.countWaitExpired()
    this.destroy()
  }

  override expire(): void {
    this.#failed('no connection in time')
  }

  destroy(): void {
    if (this.#closed) return
    this.#closed = true
    this.#listener.context.deadlines.remove(this)
    this.#service.queue.remove(this)
    this.#leave(this.#connected ? 200 : 0)
    this.#client.destroy()
    this.#listener.forget(this)
  }

  #attempt(): void {
    const replica = this.#service.pick(this.#key, this.#tried, undefined)
    if (replica) {
      this.#connect(replica)
      return
    }
    const untilMs = this.#service.waitUntilMs(this.#tried)
    if (untilMs !== undefined) {
      this.waitUntilMs = untilMs
      this.waitSinceMs = this.#listener.context.deadlines.nowMs
      if (this.#service.queue.add(this)) {
        this.#service.countWait()
        return
      }
    }
    // The constructor must end before the listener can forget the connection.
    setImmediate(() => this.destroy())
  }

  #connect(replica: Replica): void {
    const { deadlines } = this.#listener.context
    this.#replica = replica
    this.#service.begin(replica)
    this.deadlineMs = deadlines.in(this.#service.plan.timeouts.connectMs)
    const { host, port } = replica
    const upstream = connectReading({ host, port }, (bytes, length) => {
      this.#bytesOut += length
      this.#toClient.bytes(bytes, 0, length)
      if (!this.#toClient.flush()) upstream.pause()
    })
    this.#upstream = upstream
    this.#toReplica = new Outbox(upstream)
    upstream.on('connect', () => this.#begin(upstream))
    upstream.on('drain', () => this.#client.resume())
    upstream.on('end', () => this.#client.end())
    upstream.on('error', (error) => this.#failed(error.message))
    upstream.on('close', () => this.#upstreamClosed())
  }

  #begin(upstream: Socket): void {
    this.#connected = true
    this.deadlineMs = Number.POSITIVE_INFINITY
    upstream.setKeepAlive(true, 60_000)
    const replica = this.#replica
    if (replica) {
      const tookMs = this.#listener.context.clock.monotonic() - this.#startedMs
      this.#service.answered(replica, tookMs)
    }
    if (this.#service.plan.sendProxyProtocol) upstream.write(this.#proxyHeader())
    for (const piece of this.#early) upstream.write(piece)
    this.#early = []
    this.#client.resume()
  }

  #proxyHeader(): Buffer {
    return proxyHeader({
      source: this.#address,
      sourcePort: this.#client.remotePort ?? 0,
      target: plainAddress(this.#client.localAddress),
      targetPort: this.#client.localPort ?? 0,
    })
  }

  #failed(reason: string): void {
    const replica = this.#replica
    if (this.#closed || !replica) return
    if (this.#connected) {
      this.destroy()
      return
    }
    this.#service.failed(replica, reason, true)
    this.#leave(0)
    this.#tried = [...this.#tried, replica]
    if (this.#service.mayRepeat('connect', true, 1)) this.#attempt()
  }

  /** Both sides of the replica's socket have ended; the client still gets what is to be written. */
  #upstreamClosed(): void {
    if (this.#closed || !this.#connected) return
    this.#client.end()
    this.#client.resume()
    this.deadlineMs = this.#listener.context.deadlines.in(this.#listener.plan.timeouts.stallMs)
    if (this.#client.readableEnded) this.#client.destroySoon()
  }

  #leave(status: number): void {
    const replica = this.#replica
    const upstream = this.#upstream
    this.#replica = undefined
    this.#upstream = undefined
    upstream?.destroy()
    if (!replica) return
    const durationMs = this.#listener.context.clock.monotonic() - this.#startedMs
    replica.count(status, durationMs, this.#bytesIn, this.#bytesOut)
    this.#service.end(replica)
  }
}
