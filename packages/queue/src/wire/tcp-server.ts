import { createServer, type Socket } from 'node:net'
import {
  type Address,
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
/** Bytes waiting for a slow reader; beyond it no more of its calls are taken. */
const unsentBytesMax = 33_554_432
const idleMs = 300_000

export interface TcpServer {
  readonly address: string
  close(): Promise<void>
}

/** Listens for the binary protocol and answers with `handler`. `frameBytesMax` bounds one frame. */
export async function listenTcp(
  at: Address,
  handler: Handler,
  log: Log,
  frameBytesMax: number,
): Promise<TcpServer> {
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    serve(socket, handler, log, frameBytesMax)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(at.port, at.host, () => resolve())
  })
  const { port } = server.address() as { port: number }
  return {
    address: formatAddress({ host: at.host, port }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

function serve(socket: Socket, handler: Handler, log: Log, frameBytesMax: number): void {
  const underWay = new Map<number, AbortController>()
  const holdBack = () => {
    if (underWay.size >= underWayMax || socket.writableLength > unsentBytesMax) socket.pause()
    else if (socket.isPaused()) socket.resume()
  }
  const send = (kind: number, number: number, json: unknown, parts: readonly Buffer[] = []) => {
    if (socket.destroyed) return
    socket.cork()
    socket.write(frameHead(kind, number, json, parts))
    for (const part of parts) socket.write(part)
    process.nextTick(() => socket.uncork())
  }
  const answer = async ({ number, json, bytes }: Frame, abort: AbortController) => {
    try {
      const [method, params] = parseCall(json)
      const { result, parts } = await handler(method, params, bytes, abort.signal)
      send(frameKinds.answer, number, result, parts)
    } catch (error) {
      if (!abort.signal.aborted) send(frameKinds.fault, number, toProblem(asFault(error, log)))
    } finally {
      underWay.delete(number)
      holdBack()
    }
  }
  const reader = new FrameReader(frameBytesMax, (frame) => {
    if (frame.kind === frameKinds.cancel) return underWay.get(frame.number)?.abort()
    if (frame.kind !== frameKinds.request || underWay.has(frame.number))
      throw fault('FRAME_INVALID', `a frame of kind ${frame.kind} with number ${frame.number}`)
    const abort = new AbortController()
    underWay.set(frame.number, abort)
    void answer(frame, abort)
    holdBack()
  })
  socket.on('data', (chunk) => {
    try {
      reader.push(chunk)
    } catch (error) {
      log.warn({ cause: describeError(error) }, 'a connection is closed')
      send(frameKinds.fault, 0, toProblem(asFault(error, log)))
      socket.end()
    }
  })
  socket.on('drain', holdBack)
  socket.on('error', () => socket.destroy())
  socket.on('close', () => {
    for (const abort of underWay.values()) abort.abort()
  })
  // Whoever waits for an answer is not idle; a half-open connection is.
  socket.setTimeout(idleMs, () => {
    if (underWay.size === 0) socket.destroy()
  })
}

function parseCall(json: unknown): [string, object] {
  const [method, params] = Array.isArray(json) ? json : []
  if (typeof method !== 'string' || typeof params !== 'object' || params === null)
    throw fault('FRAME_INVALID', 'a request is [method, params]')
  return [method, params]
}

function asFault(error: unknown, log: Log): Fault {
  if (error instanceof Fault) return error
  log.error({ cause: describeError(error) }, 'a call failed')
  return fault('BROKER_FAULTY', 'something failed here; the log says what')
}
