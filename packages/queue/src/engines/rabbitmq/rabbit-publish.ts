import { setImmediate } from 'node:timers/promises'
import { type Clock, randomToken } from '@drover/kernel'
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

  constructor(connection: Connection, clock: Clock) {
    const prepare = async (channel: Channel) => {
      channel.on('basic.return', (message: ReturnedMessage) => {
        if (message.messageId !== undefined) this.#returned.add(message.messageId)
      })
      await channel.confirmSelect()
    }
    this.#channel = new RabbitChannel(connection, clock, prepare)
  }

  /** Throws ENGINE_FAILED when a message was not stored, or perhaps not. */
  async send(messages: readonly Outgoing[]): Promise<void> {
    for (let at = 0; at < messages.length; at += windowMessages) {
      const some = messages
        .slice(at, at + windowMessages)
        .map((message) => ({ ...message, messageId: `${this.#prefix}.${++this.#count}` }))
      const outcomes = await this.#channel.use((channel) =>
        Promise.allSettled(some.map((one) => publish(channel, one))),
      )
      // The client tells of what came back a turn later than of its confirm, which follows it.
      await setImmediate()
      const unwanted = some.filter(({ messageId }) => this.#returned.delete(messageId))
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
      for (const { exchange, routingKey } of unwanted)
        throw fault('ENGINE_FAILED', `no queue takes what is sent to ${exchange || routingKey}`)
    }
  }

  close(): Promise<void> {
    return this.#channel.close()
  }
}

function publish(
  channel: Channel,
  { exchange, routingKey = '', headers, body, messageId }: Outgoing & { messageId: string },
): Promise<void> {
  const contentType = 'application/octet-stream'
  const how = { exchange, routingKey, headers, messageId, contentType, mandatory: true }
  return channel.basicPublish({ ...how, durable: true }, Buffer.from(body))
}
