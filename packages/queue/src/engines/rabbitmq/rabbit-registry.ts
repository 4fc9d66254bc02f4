import { type Clock, describeError, type Log, randomToken, withDeadline } from '@drover/kernel'
import type { AsyncMessage, Channel, Connection } from 'rabbitmq-client'
import { timeDefaults } from '../../options.ts'
import type { TopicInfo } from '../../queue-engine.ts'
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

/**
 * The topics there are. AMQP cannot list queues, so the list is a stream of RabbitMQ: each engine
 * reads it from its beginning, follows it, and appends what it makes and deletes.
 */
export class RabbitRegistry {
  readonly #connection: Connection
  readonly #stream: string
  readonly #publish: RabbitPublish
  readonly #clock: Clock
  readonly #log: Log
  readonly #topics = new Map<string, TopicInfo>()
  readonly #waiting = new Map<string, () => void>()
  readonly #stopped = new AbortController()
  #nextOffset = 0
  #following: Promise<void> | undefined

  constructor(
    connection: Connection,
    stream: string,
    publish: RabbitPublish,
    { clock, log }: { readonly clock: Clock; readonly log: Log },
  ) {
    this.#connection = connection
    this.#stream = stream
    this.#publish = publish
    this.#clock = clock
    this.#log = log
  }

  /** Resolves when all that was in the list has been read. */
  async start(): Promise<void> {
    await this.#declare()
    this.#following = this.#follow()
    await this.#append({ kind: 'look', mark: randomToken(9) })
  }

  async #declare(): Promise<void> {
    const queue = this.#stream
    const isThere = await this.#connection.queueDeclare({ queue, passive: true }).then(
      () => true,
      () => false,
    )
    const args = { 'x-queue-type': 'stream' } as const
    await this.#connection.queueDeclare({ queue, durable: true, arguments: args })
    if (!isThere) await this.#clock.sleep(settleMs)
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
    try {
      await this.#publish.send([{ exchange: '', routingKey: this.#stream, headers: {}, body }])
      await withDeadline('the list of topics', timeDefaults.requestMs, this.#clock, seen)
    } finally {
      this.#waiting.delete(entry.mark)
    }
  }

  /** Reads the stream, on a new channel after each that was lost. */
  async #follow(): Promise<void> {
    const { signal } = this.#stopped
    while (!signal.aborted) {
      try {
        await this.#readUntilClosed(signal)
      } catch (cause) {
        this.#log.warn({ cause: describeError(cause) }, 'the list of topics cannot be read')
      }
      if (!signal.aborted) await this.#clock.sleep(againMs, signal).catch(() => {})
    }
  }

  async #readUntilClosed(signal: AbortSignal): Promise<void> {
    const channel = await this.#connection.acquire()
    const closed = new Promise<void>((resolve) => channel.once('close', () => resolve()))
    const close = () => void channel.close().catch(() => {})
    signal.addEventListener('abort', close, { once: true })
    try {
      if (signal.aborted) return close()
      await withDeadline(
        'the list of topics',
        timeDefaults.requestMs,
        this.#clock,
        this.#subscribe(channel),
      )
      await closed
    } catch (cause) {
      close()
      throw cause
    } finally {
      signal.removeEventListener('abort', close)
    }
  }

  async #subscribe(channel: Channel): Promise<void> {
    await channel.basicQos({ prefetchCount })
    const from = { 'x-stream-offset': this.#nextOffset }
    await channel.basicConsume({ queue: this.#stream, arguments: from }, (message) =>
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
