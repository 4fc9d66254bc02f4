import type { Channel, Connection } from 'rabbitmq-client'

/**
 * One channel that is opened when it is first needed, and anew when it was closed: RabbitMQ closes a
 * channel for many a mistake made on it, and all with a lost connection.
 */
export class RabbitChannel {
  readonly #connection: Connection
  readonly #prepare: (channel: Channel) => Promise<void>
  readonly #onClose: (channel: Channel) => void
  #opening: Promise<Channel> | undefined

  /** `prepare` runs on each new channel before it is used; `onClose` when it is no more. */
  constructor(
    connection: Connection,
    prepare: (channel: Channel) => Promise<void> = async () => {},
    onClose: (channel: Channel) => void = () => {},
  ) {
    this.#connection = connection
    this.#prepare = prepare
    this.#onClose = onClose
  }

  async get(): Promise<Channel> {
    const known = await this.#opening?.catch(() => undefined)
    if (known?.active) return known
    if (!known || !this.#opening) this.#opening = undefined
    this.#opening ??= this.#open()
    return this.#opening
  }

  /** Leaves a channel that no answer comes over: the next one is opened anew. */
  async forget(channel: Channel): Promise<void> {
    const known = this.#opening
    // Somebody else may have left it already, and this be the next one.
    if ((await known?.catch(() => undefined)) !== channel) return
    if (this.#opening === known) this.#opening = undefined
    // It may wait for the very answers that do not come.
    void channel.close().catch(() => {})
  }

  async close(): Promise<void> {
    const channel = await this.#opening?.catch(() => undefined)
    this.#opening = undefined
    await channel?.close()
  }

  async #open(): Promise<Channel> {
    const channel = await this.#connection.acquire()
    channel.once('close', () => {
      this.#opening = undefined
      this.#onClose(channel)
    })
    await this.#prepare(channel)
    return channel
  }
}
