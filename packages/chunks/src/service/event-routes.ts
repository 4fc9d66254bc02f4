import type { ServerResponse } from 'node:http'
import type { Cancel, Clock } from '@drover/kernel'
import type { FastifyInstance } from 'fastify'
import { fault } from '../errors.ts'
import type { Front } from './front.ts'

const tellEveryMs = 200
const listenersMax = 200
/** A comment is sent this often, so that nobody between us and the page thinks that we are gone. */
const liveEveryMs = 15_000

/** Adds `GET /events`: the queue, as server-sent events, whenever it changes. */
export function addEventRoutes(
  server: FastifyInstance,
  { front, clock }: { front: Front; clock: Clock },
): void {
  const listeners = new Map<ServerResponse, string>()
  let cancels: readonly Cancel[] = []
  const tell = () => {
    // Written once for all of them.
    const now = `data: ${JSON.stringify(front.board.list())}\n\n`
    for (const [listener, last] of listeners) {
      if (now === last || listener.writableNeedDrain) continue
      listeners.set(listener, now)
      listener.write(now)
    }
  }
  const live = () => {
    for (const listener of listeners.keys())
      if (!listener.writableNeedDrain) listener.write(': alive\n\n')
  }
  server.get('/events', async (request, reply) => {
    if (listeners.size >= listenersMax) throw fault('REQUESTS_TOO_MANY', 'too many listen already')
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    if (listeners.size === 0)
      cancels = [clock.every(tellEveryMs, tell), clock.every(liveEveryMs, live)]
    listeners.set(reply.raw, '')
    tell()
    request.raw.socket.once('close', () => {
      listeners.delete(reply.raw)
      if (listeners.size === 0) for (const cancel of cancels) cancel()
    })
  })
}
