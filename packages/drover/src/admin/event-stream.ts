import type { Clock } from '@drover/kernel'
import type { FastifyReply } from 'fastify'
import { fault } from '../errors.ts'

/** A subscriber that reads more slowly than this many bytes behind is cut; it may come again. */
const backlogBytesMax = 2 ** 20
/** As many clients may listen at one time. */
const streamsMax = 100
/** Ms between two comments that keep proxies and clients from giving up on a quiet stream. */
const heartbeatMs = 15_000

/** What a stream of server-sent events is fed by. */
interface StreamSource<Item> {
  /** Sent at once, oldest first. */
  readonly kept: readonly Item[]
  /** Calls back for each new item until the returned function is called. */
  readonly follow: (listener: (item: Item) => void) => () => void
  /** The id that a client names to go on after it; undefined where there is no going on. */
  readonly idOf?: (item: Item) => number
}

/** Answers requests with server-sent events. */
export interface EventStreams {
  /**
   * One `data:` of JSON for each item, until the client goes away. Throws STREAMS_TOO_MANY while a
   * hundred others listen.
   */
  send<Item>(reply: FastifyReply, source: StreamSource<Item>): void
}

/** Returns the streams of one server, none open yet. */
export function createEventStreams(clock: Clock): EventStreams {
  let open = 0
  return {
    send(reply, source) {
      if (open >= streamsMax)
        throw fault('STREAMS_TOO_MANY', `${open} streams are open; close one of them`)
      open++
      reply.raw.once('close', () => open--)
      stream(reply, clock, source)
    },
  }
}

function stream<Item>(
  reply: FastifyReply,
  clock: Clock,
  { kept, follow, idOf }: StreamSource<Item>,
): void {
  reply.hijack()
  const { raw } = reply
  raw.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    connection: 'close',
  })
  const send = (item: Item) => {
    const id = idOf ? `id: ${idOf(item)}\n` : ''
    raw.write(`${id}data: ${JSON.stringify(item)}\n\n`)
    if (raw.writableLength > backlogBytesMax) raw.destroy()
  }
  raw.write(': drover\n\n')
  for (const item of kept) send(item)
  const unfollow = follow(send)
  const stopHeartbeat = clock.every(heartbeatMs, () => raw.write(': still here\n\n'))
  raw.on('close', () => {
    unfollow()
    stopHeartbeat()
  })
  raw.on('error', () => {
    // The client is gone; `close` follows and cleans up.
  })
}
