import { createServer, type Socket } from 'node:net'
import {
  type Address,
  type Clock,
  describeError,
  Fault,
  formatAddress,
  type Log,
  toProblem,
} from '@drover/kernel'
import { fault } from '../errors.ts'
import { type Frame, FrameReader, frameHead, frameKinds } from './frames.ts'
import type { Handler } from './link.ts'

/** Calls of one connection that may be under way; beyond it reading stops until some are answered. */
const underWayMax = 4_096
/** Bytes waiting for a slow reader: beyond it no more of its calls are taken. */
const unsentBytesMax = 33_554_432
/** Bytes waiting for all slow readers together: beyond it the slowest is cut off. */
const unsentBytesMost = 268_435_456
/** A reader that is so far behind makes us look at all of them. */
const behindBytes = 1_048_576
const idleMs = 300_000
/** How often connections are looked over, and how long one frame may take to come. */
const [lookMs, frameMs] = [5_000, 30_000]
/** How long a connection that was refused may take to read why. */
const farewellMs = 1_000

export interface TcpServerOptions {
  readonly handler: Handler
  readonly clock: Clock
  readonly log: Log
  /** The longest frame that is taken. */
  readonly frameBytesMax: number
  /** Default 4,096; beyond it a connection is refused with BROKER_BUSY. */
  readonly connectionsMax?: number
}

export interface TcpServer {
  readonly address: string
  close(): Promise<void>
}

/** Listens for the binary protocol and answers with `handler`. Throws ADDRESS_TAKEN. */
export async function listenTcp(at: Address, options: TcpServerOptions): Promise<TcpServer> {
  const { clock, log, connectionsMax = 4_096 } = options
  const connections = new Set<Connection>()
  let complaints = 0
  // Strangers must not fill the log: one line at a time, and how many more there were.
  const complain = (error: unknown) => {
    if (complaints++ === 0) log.warn({ cause: describeError(error) }, 'a connection is closed')
  }
  const server = createServer({ noDelay: true }, (socket) => {
    if (connections.size >= connectionsMax) return refuse(socket, connectionsMax, clock)
    const connection = new Connection(socket, options, {
      onBehind: () => relieve(connections, log),
      onStrange: complain,
    })
    connections.add(connection)
    socket.on('close', () => connections.delete(connection))
  })
  // Those who are told why they are refused are few, too.
  server.maxConnections = connectionsMax + 100
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(fault('ADDRESS_TAKEN', `cannot listen on ${formatAddress(at)}`, { cause })),
    )
    server.listen(at.port, at.host, () => resolve())
  })
  server.on('error', (error) => log.warn({ cause: describeError(error) }, 'the listener failed'))
  const cancel = clock.every(lookMs, () => {
    for (const connection of connections) connection.look()
    if (complaints > 1) log.warn({ more: complaints - 1 }, 'more connections were closed')
    complaints = 0
  })
  const { port } = server.address() as { port: number }
  return {
    address: formatAddress({ host: at.host, port }),
    close: () =>
      new Promise((resolve) => {
        cancel()
        server.close(() => resolve())
        for (const connection of connections) connection.destroy()
      }),
  }
}

/** Ends the connection with the most unsent bytes when all of them together have too many. */
function relieve(connections: ReadonlySet<Connection>, log: Log): void {
  let total = 0
  let slowest: Connection | undefined
  for (const connection of connections) {
    total += connection.unsentBytes
    if (connection.unsentBytes > (slowest?.unsentBytes ?? 0)) slowest = connection
  }
  if (total <= unsentBytesMost) return
  log.warn({ bytes: slowest?.unsentBytes }, 'a reader that does not read is cut off')
  slowest?.destroy()
}

function refuse(socket: Socket, connectionsMax: number, clock: Clock): void {
  const busy = fault('BROKER_BUSY', `there are ${connectionsMax} connections already`)
  sayFarewell(socket, busy, clock)
}

/** Sends a fault about the connection itself, number 0, and closes once it can have been read. */
function sayFarewell(socket: Socket, why: Fault, clock: Clock): void {
  socket.removeAllListeners('data').on('error', () => socket.destroy())
  // Bytes left unread would make the close a reset, and the fault be lost.
  socket.resume()
  socket.end(frameHead(frameKinds.fault, 0, toProblem(why), []))
  const cancel = clock.after(farewellMs, () => socket.destroy())
  socket.on('close', cancel)
}

/** What the listener must know of its connections. */
interface Watch {
  /** Called with each answer to a reader that is behind. */
  readonly onBehind: () => void
  /** Called with why a connection is closed from our side. */
  readonly onStrange: (error: unknown) => void
}

/** One client: its frames come in, its answers go out in whichever order they are ready. */
class Connection {
  readonly #socket: Socket
  readonly #with: TcpServerOptions
  readonly #watch: Watch
  readonly #reader: FrameReader
  readonly #underWay = new Map<number, AbortController>()
  /** Frames at the last look, and since when the same one has been coming. */
  #framesSeen = 0
  #sameFrameMs = 0

  constructor(socket: Socket, using: TcpServerOptions, watch: Watch) {
    this.#socket = socket
    this.#with = using
    this.#watch = watch
    this.#reader = new FrameReader(using.frameBytesMax, (frame) => this.#take(frame))
    socket.on('data', (chunk) => {
      try {
        this.#reader.push(chunk)
      } catch (error) {
        this.#end(error)
      }
    })
    socket.on('drain', () => this.#holdBack())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#abortAll())
    // Whoever waits for an answer is not idle; a half-open connection is.
    socket.setTimeout(idleMs, () => {
      if (this.#underWay.size === 0) socket.destroy()
    })
  }

  get unsentBytes(): number {
    return this.#socket.destroyed ? 0 : this.#socket.writableLength
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** Ends a connection whose frame comes too slowly. */
  look(): void {
    const { count, isWithinFrame } = this.#reader
    // While we do not read, it is not the sender who is slow.
    const waits = isWithinFrame && count === this.#framesSeen && !this.#socket.isPaused()
    this.#sameFrameMs = waits ? this.#sameFrameMs + lookMs : 0
    this.#framesSeen = count
    if (this.#sameFrameMs < frameMs) return
    this.#end(fault('FRAME_INVALID', `a frame was not whole after ${frameMs} ms`))
  }

  #take(frame: Frame): void {
    const { kind, number } = frame
    if (kind === frameKinds.cancel) {
      this.#underWay.get(number)?.abort()
      return
    }
    if (kind !== frameKinds.request || this.#underWay.has(number))
      throw fault('FRAME_INVALID', `a frame of kind ${kind} with number ${number}`)
    const abort = new AbortController()
    this.#underWay.set(number, abort)
    void this.#answer(frame, abort.signal)
    this.#holdBack()
  }

  async #answer({ number, json, bytes }: Frame, signal: AbortSignal): Promise<void> {
    try {
      const [method, params] = parseCall(json)
      const { result, parts } = await this.#with.handler(method, params, bytes, signal)
      this.#send(frameKinds.answer, number, result, parts)
    } catch (error) {
      if (!signal.aborted) this.#send(frameKinds.fault, number, toProblem(this.#asFault(error)))
    } finally {
      this.#underWay.delete(number)
      this.#holdBack()
    }
  }

  #send(kind: number, number: number, json: unknown, parts: readonly Buffer[] = []): void {
    const socket = this.#socket
    if (!socket.writable) return
    socket.cork()
    socket.write(frameHead(kind, number, json, parts))
    for (const part of parts) socket.write(part)
    process.nextTick(() => socket.uncork())
    if (socket.writableLength > behindBytes) this.#watch.onBehind()
  }

  #holdBack(): void {
    const socket = this.#socket
    if (this.#underWay.size >= underWayMax || socket.writableLength > unsentBytesMax) socket.pause()
    else if (socket.isPaused()) socket.resume()
  }

  #end(error: unknown): void {
    this.#watch.onStrange(error)
    this.#abortAll()
    sayFarewell(this.#socket, this.#asFault(error), this.#with.clock)
  }

  #abortAll(): void {
    for (const abort of this.#underWay.values()) abort.abort()
  }

  #asFault(error: unknown): Fault {
    if (error instanceof Fault) return error
    this.#with.log.error({ cause: describeError(error) }, 'a call failed')
    return fault('BROKER_FAULTY', 'something failed here; the log says what')
  }
}

function parseCall(json: unknown): [string, object] {
  const [method, params] = Array.isArray(json) ? json : []
  if (typeof method !== 'string' || typeof params !== 'object' || params === null)
    throw fault('FRAME_INVALID', 'a request is [method, params]')
  return [method, params]
}
