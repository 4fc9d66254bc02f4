import type { Cancel, Clock } from '@drover/kernel'
import { Handshake, type Identity } from './handshake.ts'
import type { Link } from './link.ts'
import {
  type Channel,
  type ChannelHandler,
  messageBytesMax,
  strangerBytesMax,
} from './transport.ts'

/** Connections at a time that have not proved themselves; for one more the oldest has to go. */
const strangersMax = 64

/** What the greeter needs of its server. */
export interface GreeterOptions {
  readonly key: Uint8Array
  readonly clock: Clock
  readonly handshakeMs: number
  self(): Identity
  /** Says why a proved peer is not welcome; undefined when it is. */
  refuse(peer: Identity): string | undefined
  /** Makes the link to a proved peer, or says why not. */
  adopt(peer: Identity, channel: Channel, isDialled: boolean): Link | string
}

/** Leads new connections through the handshake; what is no peer never gets further. */
export class Greeter {
  readonly #options: GreeterOptions
  /** Those that this server did not dial, oldest first, and the way to end each. */
  readonly #strangers = new Map<Channel, (reason: string) => void>()
  /** Connections that were dialled; there are never more than neighbours. */
  readonly #dialled = new Map<Channel, (reason: string) => void>()

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
    // Whoever holds connections open without a word must not keep the neighbours out.
    const [oldest] = this.#strangers.values()
    if (!isDialled && this.#strangers.size >= strangersMax) oldest?.('too many came after it')
    channel.allow(strangerBytesMax)
    return this.#shake(channel, isDialled, expected, failed)
  }

  /** Closes everything that has not proved itself. */
  close(): void {
    for (const shaking of [this.#strangers, this.#dialled]) {
      for (const channel of shaking.keys()) channel.close()
      shaking.clear()
    }
  }

  #shake(
    channel: Channel,
    isDialled: boolean,
    expected: string | undefined,
    failed: (reason: string) => void,
  ): ChannelHandler {
    const { key, clock, handshakeMs, self, refuse, adopt } = this.#options
    const shaking = isDialled ? this.#dialled : this.#strangers
    let link: Link | undefined
    let cancel: Cancel = () => {}
    const end = (reason: string) => {
      cancel()
      if (!shaking.delete(channel)) return
      channel.close()
      failed(reason)
    }
    shaking.set(channel, end)
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
        const refused = refuse(step.peer)
        if (refused === undefined) handshake.welcome()
        const adopted = refused ?? adopt(step.peer, channel, isDialled)
        if (typeof adopted === 'string') {
          end(adopted)
          return
        }
        cancel()
        shaking.delete(channel)
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
