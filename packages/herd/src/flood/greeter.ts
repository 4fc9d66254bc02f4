import type { Cancel, Clock } from '@drover/kernel'
import { Handshake, type Identity } from './handshake.ts'
import type { Link } from './link.ts'
import {
  type Channel,
  type ChannelHandler,
  messageBytesMax,
  strangerBytesMax,
} from './transport.ts'

/** Connections at a time that have not proved themselves. */
const strangersMax = 64

/** What the greeter needs of its server. */
export interface GreeterOptions {
  readonly key: Uint8Array
  readonly clock: Clock
  readonly handshakeMs: number
  self(): Identity
  /** Makes the link to a proved peer, or says why not. */
  adopt(peer: Identity, channel: Channel, isDialled: boolean): Link | string
}

/** Leads new connections through the handshake; what is no peer never gets further. */
export class Greeter {
  readonly #options: GreeterOptions
  readonly #strangers = new Set<Channel>()

  constructor(options: GreeterOptions) {
    this.#options = options
  }

  /** Returns the handler of a connection; `failed` is told when no link comes of it. */
  greet(
    channel: Channel,
    isDialled: boolean,
    expected: string | undefined,
    failed: (reason: string) => void,
  ): ChannelHandler {
    if (!isDialled && this.#strangers.size >= strangersMax) {
      channel.close()
      failed('too many connections have not proved themselves')
      return { message() {}, closed() {} }
    }
    this.#strangers.add(channel)
    channel.allow(strangerBytesMax)
    return this.#shake(channel, isDialled, expected, failed)
  }

  /** Closes everything that has not proved itself. */
  close(): void {
    for (const channel of this.#strangers) channel.close()
    this.#strangers.clear()
  }

  #shake(
    channel: Channel,
    isDialled: boolean,
    expected: string | undefined,
    failed: (reason: string) => void,
  ): ChannelHandler {
    const { key, clock, handshakeMs, self, adopt } = this.#options
    let link: Link | undefined
    let cancel: Cancel = () => {}
    const end = (reason: string) => {
      cancel()
      if (!this.#strangers.delete(channel)) return
      channel.close()
      failed(reason)
    }
    cancel = clock.after(handshakeMs, () => end('it did not prove itself in time'))
    const role = isDialled ? 'dialler' : 'acceptor'
    const handshake = new Handshake(role, self(), key, (bytes) => channel.send(bytes), expected)
    handshake.start()

    return {
      message: (bytes) => {
        if (link) {
          link.take(bytes)
          return
        }
        const step = handshake.take(bytes)
        if (step.kind === 'refused') end(step.reason)
        if (step.kind !== 'proved') return
        const adopted = adopt(step.peer, channel, isDialled)
        if (typeof adopted === 'string') {
          end(adopted)
          return
        }
        cancel()
        this.#strangers.delete(channel)
        channel.allow(messageBytesMax)
        link = adopted
      },
      closed: (reason) => {
        if (link) link.closed(reason)
        else end(reason)
      },
    }
  }
}
