import type { Clock } from '@drover/kernel'
import type { Channel, Connection } from 'rabbitmq-client'
import { answered, openChannel } from './rabbit-answer.ts'

/**
 * One channel that is opened when it is first needed, and anew when it was closed: RabbitMQ closes a
 * channel for many a mistake made on it, and all with a lost connection.
 */
export class RabbitChannel {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #prepare: (channel: Channel) => Promise<void>
  #opening: Promise<Channel> | undefined
  /** What `#opening` resolves to, as soon as it is known. */
  #channel: Channel | undefined

  /** `prepare` runs on each new channel before it is used. */
  constructor(
    connection: Connection,
    clock: Clock,
    prepare: (channel: Channel) => Promise<void> = async () => {},
  ) {
    this.#connection = connection
    this.#clock = clock
    this.#prepare = prepare
  }

  /** Runs `work` on the channel. Throws ENGINE_FAILED after 10 s; the next call gets a new channel. */
  async use<Result>(work: (channel: Channel) => Promise<Result>): Promise<Result> {
    const channel = await this.#get()
    return answered(work(channel), { clock: this.#clock, leave: () => this.#leave(channel) })
  }

  async close(): Promise<void> {
    const channel = await this.#opening?.catch(() => undefined)
    this.#opening = undefined
    await channel?.close()
  }

  async #get(): Promise<Channel> {
    const known = this.#opening
    const channel = await known?.catch(() => undefined)
    if (channel?.active) return channel
    // Another call may have begun to open the next one meanwhile.
    if (this.#opening === known || !this.#opening) this.#opening = this.#open()
    return this.#opening
  }

  async #open(): Promise<Channel> {
    this.#channel = undefined
    const channel = await openChannel(this.#connection, this.#clock)
    this.#channel = channel
    channel.once('close', () => this.#forget(channel))
    const leave = () => this.#leave(channel)
    await answered(this.#prepare(channel), { clock: this.#clock, leave })
    return channel
  }

  #forget(channel: Channel): void {
    if (this.#channel === channel) this.#opening = undefined
  }

  #leave(channel: Channel): void {
    this.#forget(channel)
    // It may wait for the very answers that do not come.
    void channel.close().catch(() => {})
  }
}
