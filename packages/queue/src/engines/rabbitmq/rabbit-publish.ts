import { randomToken } from '@drover/kernel'
import type { Channel, Connection, ReturnedMessage } from 'rabbitmq-client'
import { fault } from '../../errors.ts'
import { RabbitChannel } from './rabbit-channel.ts'

/** Messages under way to the server at one time, for one call. */
const windowMessages = 256

/** One message on its way to an exchange; an empty exchange sends to the queue named `routingKey`. */
export interface Outgoing {
  readonly exchange: string
  readonly routingKey?: string
  readonly headers: Record<string, unknown>
  readonly body: Uint8Array
}

/** Publishes with confirms: what is resolved is stored by a majority of the queue's servers. */
export class RabbitPublish {
  readonly #channel: RabbitChannel
  /** Messages that no queue wanted: the server returns them before it confirms. */
  readonly #returned = new Set<string>()
  readonly #prefix = randomToken(6)
  #count = 0

  constructor(connection: Connection) {
    const prepare = async (channel: Channel) => {
      channel.on('basic.return', (message: ReturnedMessage) => {
        if (message.messageId !== undefined) this.#returned.add(message.messageId)
      })
      await channel.confirmSelect()
    }
    this.#channel = new RabbitChannel(connection, prepare)
  }

  async send(messages: readonly Outgoing[]): Promise<void> {
    for (let at = 0; at < messages.length; at += windowMessages) {
      const channel = await this.#channel.get()
      const some = messages.slice(at, at + windowMessages)
      const outcomes = await Promise.allSettled(some.map((one) => this.#sendOne(channel, one)))
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
    }
  }

  close(): Promise<void> {
    return this.#channel.close()
  }

  async #sendOne(channel: Channel, { exchange, routingKey = '', headers, body }: Outgoing) {
    const messageId = `${this.#prefix}.${++this.#count}`
    const contentType = 'application/octet-stream'
    const how = { exchange, routingKey, headers, messageId, contentType, mandatory: true }
    await channel.basicPublish({ ...how, durable: true }, Buffer.from(body))
    if (this.#returned.delete(messageId))
      throw fault('ENGINE_FAILED', `no queue takes what is sent to ${exchange || routingKey}`)
  }
}
