import type { Clock } from '@drover/kernel'
import type { AsyncMessage, Channel, SyncMessage } from 'rabbitmq-client'

/** When nothing more has come for so long, a queue that gave something has no more, in ms. */
const quietMs = 10
/** The most that is asked for at once. */
const takenMax = 1_000

/** A message that its channel holds until it is settled. */
export type Taken = AsyncMessage | SyncMessage

/** How much to take, and how long to wait for the first. */
export interface Take {
  readonly queue: string
  readonly count: number
  readonly waitMs: number
}

/**
 * Takes messages over a channel that nobody else takes over meanwhile. One by one is slow on quorum
 * queues, so what is more than one is subscribed to, for so many and no more, and only until they are
 * there: a message that is sent ahead would lie in a process that perhaps leases no more.
 */
export async function takeMessages(
  channel: Channel,
  { queue, count, waitMs }: Take,
  clock: Clock,
  signal?: AbortSignal,
): Promise<readonly Taken[]> {
  const single = count === 1 || waitMs <= 0
  const first = single ? await channel.basicGet({ queue }) : undefined
  if (single && (first ? count === 1 : waitMs <= 0)) return first ? [first] : []
  const taken: Taken[] = first ? [first] : []
  const wanted = Math.min(takenMax, count) - taken.length
  if (wanted === 0) return taken
  const enough = Promise.withResolvers<void>()
  let cancelTimer = clock.after(first ? quietMs : waitMs, enough.resolve)
  const stop = () => enough.resolve()
  signal?.addEventListener('abort', stop, { once: true })
  channel.once('close', stop)
  try {
    await channel.basicQos({ prefetchCount: wanted })
    const { consumerTag } = await channel.basicConsume({ queue }, (message) => {
      taken.push(message)
      cancelTimer()
      if (taken.length - (first ? 1 : 0) === wanted) enough.resolve()
      else cancelTimer = clock.after(quietMs, enough.resolve)
    })
    await enough.promise
    // What was under way comes before the answer to this.
    await channel.basicCancel(consumerTag)
    signal?.throwIfAborted()
  } catch (error) {
    giveBack(channel, taken)
    throw error
  } finally {
    cancelTimer()
    signal?.removeEventListener('abort', stop)
    channel.off('close', stop)
  }
  return taken
}

function giveBack(channel: Channel, taken: readonly Taken[]): void {
  if (!channel.active) return
  for (const { deliveryTag } of taken) channel.basicNack({ deliveryTag, requeue: true })
}
