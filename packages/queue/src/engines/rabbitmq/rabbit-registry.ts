import { type Clock, describeError, type Log, randomToken, withDeadline } from '@drover/kernel'
import type { AsyncMessage, Channel, Connection } from 'rabbitmq-client'
import { timeDefaults } from '../../options.ts'
import type { TopicInfo } from '../../queue-engine.ts'
import { answered, openChannel } from './rabbit-answer.ts'
import type { RabbitChannel } from './rabbit-channel.ts'
import type { RabbitPublish } from './rabbit-publish.ts'

/** How long a lost connection is waited for before the stream is read again, in ms. */
const againMs = 200
/**
 * How long RabbitMQ 3.10 may keep the name of its first stream in memory, in ms, with room to spare (one
 * killed 1.0 s after was whole, one after 0.9 s was not). Killed before, it never finds the stream again.
 */
const settleMs = 2_000
/** Entries on their way from the server at one time. */
const prefetchCount = 1_000

/** One entry of the list; `mark` is what its writer waits to see. */
type Entry =
  | { readonly kind: 'made'; readonly mark: string; readonly topic: TopicInfo }
  | { readonly kind: 'gone'; readonly mark: string; readonly name: string }
  | { readonly kind: 'look'; readonly mark: string }

/** What the list of topics needs; `stream` is its name. */
export interface RabbitRegistryParts {
  readonly connection: Connection
  readonly calls: RabbitChannel
  readonly stream: string
  readonly publish: RabbitPublish
  readonly clock: Clock
  readonly log: Log
}

/**
 * The topics there are. AMQP cannot list queues, so the list is a stream of RabbitMQ: each engine
 * reads it from its beginning, follows it, and appends what it makes and deletes.
 */
export class RabbitRegistry {
  readonly #parts: RabbitRegistryParts
  readonly #topics = new Map<string, TopicInfo>()
  readonly #waiting = new Map<string, () => void>()
  readonly #stopped = new AbortController()
  #nextOffset = 0
  #following: Promise<void> | undefined

  constructor(parts: RabbitRegistryParts) {
    this.#parts = parts
  }

  /** Resolves when all that was in the list has been read. */
  async start(): Promise<void> {
    await this.#declare()
    this.#following = this.#follow()
    try {
      await this.#append({ kind: 'look', mark: randomToken(9) })
    } catch (error) {
      this.#stopped.abort()
      throw error
    }
  }

  async #declare(): Promise<void> {
    const { calls, stream: queue, clock } = this.#parts
    const isThere = await calls
      .use((channel) => channel.queueDeclare({ queue, passive: true }))
      .then(
        () => true,
        () => false,
      )
    const args = { 'x-queue-type': 'stream' } as const
    await calls.use((channel) => channel.queueDeclare({ queue, durable: true, arguments: args }))
    if (!isThere) await clock.sleep(settleMs)
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#following
  }

  list(): readonly TopicInfo[] {
    return [...this.#topics.values()]
  }

  get(name: string): TopicInfo | undefined {
    return this.#topics.get(name)
  }

  add(topic: TopicInfo): Promise<void> {
    return this.#append({ kind: 'made', mark: randomToken(9), topic })
  }

  remove(name: string): Promise<void> {
    return this.#append({ kind: 'gone', mark: randomToken(9), name })
  }

  /** Resolves when the entry has come back, and with it all that was written before. */
  async #append(entry: Entry): Promise<void> {
    const seen = new Promise<void>((resolve) => this.#waiting.set(entry.mark, resolve))
    const body = Buffer.from(JSON.stringify(entry))
    const { publish, stream, clock } = this.#parts
    try {
      await publish.send([{ exchange: '', routingKey: stream, headers: {}, body }])
      await withDeadline('the list of topics', timeDefaults.requestMs, clock, seen)
    } finally {
      this.#waiting.delete(entry.mark)
    }
  }

  /** Reads the stream, on a new channel after each that was lost. */
  async #follow(): Promise<void> {
    const { signal } = this.#stopped
    const { clock, log } = this.#parts
    while (!signal.aborted) {
      try {
        await this.#readUntilClosed(signal)
      } catch (cause) {
        log.warn({ cause: describeError(cause) }, 'the list of topics cannot be read')
      }
      if (!signal.aborted) await clock.sleep(againMs, signal).catch(() => {})
    }
  }

  async #readUntilClosed(signal: AbortSignal): Promise<void> {
    const { connection, clock } = this.#parts
    const channel = await openChannel(connection, clock)
    const closed = new Promise<void>((resolve) => channel.once('close', () => resolve()))
    const close = () => void channel.close().catch(() => {})
    signal.addEventListener('abort', close, { once: true })
    try {
      if (signal.aborted) return close()
      await answered(this.#subscribe(channel), { clock, leave: close })
      await closed
    } finally {
      signal.removeEventListener('abort', close)
      close()
    }
  }

  async #subscribe(channel: Channel): Promise<void> {
    await channel.basicQos({ prefetchCount })
    const from = { 'x-stream-offset': this.#nextOffset }
    await channel.basicConsume({ queue: this.#parts.stream, arguments: from }, (message) =>
      this.#take(channel, message),
    )
  }

  #take(channel: Channel, message: AsyncMessage): void {
    channel.basicAck({ deliveryTag: message.deliveryTag })
    const offset = Number(message.headers?.['x-stream-offset'] ?? -1)
    // The server begins with the chunk that holds the offset, which may be earlier.
    if (offset < this.#nextOffset) return
    this.#nextOffset = offset + 1
    const entry = parseEntry(message.body)
    if (!entry) return
    if (entry.kind === 'made') this.#topics.set(entry.topic.name, entry.topic)
    if (entry.kind === 'gone') this.#topics.delete(entry.name)
    this.#waiting.get(entry.mark)?.()
  }
}

function parseEntry(body: unknown): Entry | undefined {
  try {
    return JSON.parse(String(body)) as Entry
  } catch {
    // Somebody else's message in our stream.
    return undefined
  }
}
