import type { Clock } from '@drover/kernel'
import type { Channel, Connection } from 'rabbitmq-client'
import { fault } from '../../errors.ts'
import { answered, openChannel } from './rabbit-answer.ts'

/** Calls that take messages at one time; the server's own limit is 2,047 channels. */
const busyMax = 1_000

/** Channels to take messages over: one for each call, used again by the next. */
export class RabbitPool {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #onClose: (channel: Channel) => void
  readonly #all = new Set<Channel>()
  readonly #idle = new Set<Channel>()
  #busy = 0

  /** `onClose` is called with each channel that is no more, and with it what it held. */
  constructor(connection: Connection, clock: Clock, onClose: (channel: Channel) => void) {
    this.#connection = connection
    this.#clock = clock
    this.#onClose = onClose
  }

  /**
   * Runs `work` with a channel of its own, on which it leaves no consumer. Throws BROKER_BUSY, and
   * ENGINE_FAILED when it takes longer than `deadlineMs`.
   */
  async use<Result>(
    deadlineMs: number,
    work: (channel: Channel) => Promise<Result>,
  ): Promise<Result> {
    if (this.#busy >= busyMax) throw fault('BROKER_BUSY', `${busyMax} calls take messages already`)
    this.#busy++
    let channel: Channel | undefined
    try {
      channel = await this.#take()
      return await this.answered(channel, work(channel), deadlineMs)
    } finally {
      this.#busy--
      if (channel?.active) this.#idle.add(channel)
    }
  }

  /** Awaits an answer over `channel`; after `deadlineMs` the channel is left, and what it held goes back. */
  answered<Result>(
    channel: Channel,
    answer: Promise<Result>,
    deadlineMs?: number,
  ): Promise<Result> {
    const leave = () => this.#leave(channel)
    return answered(answer, { clock: this.#clock, leave, ...(deadlineMs ? { deadlineMs } : {}) })
  }

  #leave(channel: Channel): void {
    this.#all.delete(channel)
    this.#idle.delete(channel)
    this.#onClose(channel)
    // It may wait for the very answer that does not come.
    void channel.close().catch(() => {})
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#all].map((channel) => channel.close()))
  }

  async #take(): Promise<Channel> {
    for (const channel of this.#idle) {
      this.#idle.delete(channel)
      if (channel.active) return channel
    }
    const channel = await openChannel(this.#connection, this.#clock)
    this.#all.add(channel)
    channel.once('close', () => {
      this.#all.delete(channel)
      this.#idle.delete(channel)
      this.#onClose(channel)
    })
    return channel
  }
}
