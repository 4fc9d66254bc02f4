import type { Clock } from '@drover/kernel'
import { createInbox, type Msg, type NatsConnection } from '@nats-io/transport-node'
import { fault } from '../../errors.ts'
import { parseDelivery } from './nats-message.ts'

/** Which consumer to ask, and for how much. */
export interface Pull {
  readonly stream: string
  readonly consumer: string
  /** The most messages. */
  readonly batch: number
  /** How long the server waits for the first message; 0 answers at once. */
  readonly waitMs: number
}

/**
 * The least wait at the server, in ms. Without one, servers of 2.9 leave a call unanswered when their
 * count of what is pending is wrong, as after a purge.
 */
const waitMsLeast = 5

/** The consumer or its stream is not there (any more). */
export class ConsumerGone extends Error {
  override readonly name = 'ConsumerGone'
}

/** How long an answer may take beyond its wait, in ms, and how often it is asked for. */
const [graceMs, asksMax] = [2_000, 5]

/**
 * Asks a pull consumer and returns what was there, or what came first within `waitMs`. What the server
 * sends to a call that was given up is handed back at once. Servers of 2.9 now and then leave a call
 * unanswered, so it is repeated some times. Throws ConsumerGone, ENGINE_FAILED.
 */
export async function pull(
  connection: NatsConnection,
  clock: Clock,
  wanted: Pull,
  signal?: AbortSignal,
): Promise<readonly Msg[]> {
  for (let asks = 0; asks < asksMax; asks++) {
    signal?.throwIfAborted()
    const answer = await ask(connection, clock, wanted, signal)
    if (answer) return answer
  }
  throw fault('ENGINE_FAILED', `the server does not answer about ${wanted.stream}`)
}

/** Asks once; undefined when no answer came. */
function ask(
  connection: NatsConnection,
  clock: Clock,
  { stream, consumer, batch, waitMs }: Pull,
  signal?: AbortSignal,
): Promise<readonly Msg[] | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly Msg[] | undefined>()
  const inbox = createInbox()
  const messages: Msg[] = []
  let givenUp = false
  const subscription = connection.subscribe(inbox, {
    callback: (error, message) => {
      if (error) return end(() => reject(error))
      if (parseDelivery(message.reply ?? '') === undefined) return onStatus(message)
      if (givenUp) return void message.respond('-NAK')
      messages.push(message)
      if (messages.length === batch) end(() => resolve(messages))
    },
  })
  const cancelTimer = clock.after(waitMs + graceMs, () => {
    end(() => resolve(messages.length > 0 ? messages : undefined))
  })
  const abort = () => {
    // The server may have sent something already: the subscription stays until it says its last.
    givenUp = true
    for (const message of messages) message.respond('-NAK')
    signal?.removeEventListener('abort', abort)
    reject(signal?.reason)
  }
  const end = (settle: () => void) => {
    cancelTimer()
    subscription.unsubscribe()
    signal?.removeEventListener('abort', abort)
    settle()
  }
  const onStatus = (message: Msg) => {
    const code = message.headers?.code ?? 503
    const text = `${code} ${message.headers?.description ?? 'no answer'}`
    if (messages.length > 0 || code === 404 || code === 408) return end(() => resolve(messages))
    if (code === 503 || /deleted|not found/i.test(text))
      return end(() => reject(new ConsumerGone(text)))
    // A new leader, or too many waiting: the next call goes to whoever it is then.
    if (code === 409) return end(() => resolve([]))
    end(() => reject(fault('ENGINE_FAILED', `${stream}: ${text}`)))
  }
  signal?.addEventListener('abort', abort, { once: true })
  const expires = Math.ceil(Math.max(waitMsLeast, waitMs)) * 1_000_000
  connection.publish(
    `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`,
    JSON.stringify({ batch, no_wait: true, expires }),
    { reply: inbox },
  )
  return promise
}
