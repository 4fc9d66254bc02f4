import type { Address, Clock, Random } from '@drover/kernel'
import type { Channel, ChannelHandler, OnChannel, Transport } from './transport.ts'

/** What the memory network does to messages. Shares are from 0 to 1. */
export interface NetworkFaults {
  readonly delayMs: readonly [least: number, most: number]
  readonly dropShare: number
  readonly duplicateShare: number
  readonly reorderShare: number
}

/** A network that only delays, by exactly 1 ms. */
const calmNetwork: NetworkFaults = {
  delayMs: [1, 1],
  dropShare: 0,
  duplicateShare: 0,
  reorderShare: 0,
}

interface End {
  handler: ChannelHandler | undefined
  isOpen: boolean
  readonly host: string
  lastDueMs: number
}

/**
 * The memory twin of TCP between servers: hosts are names, everything happens on the given clock, and
 * by the given chance messages are late, lost, doubled or out of order. A partition loses messages
 * without a word, as a pulled cable does.
 */
export class MemoryNetwork {
  faults: NetworkFaults
  readonly #clock: Clock
  readonly #random: Random
  readonly #listeners = new Map<string, OnChannel>()
  readonly #ends = new Set<readonly [End, End]>()
  #canReach: (host: string, other: string) => boolean = () => true

  constructor(clock: Clock, random: Random, faults: NetworkFaults = calmNetwork) {
    this.#clock = clock
    this.#random = random
    this.faults = faults
  }

  /** Returns how `host` reaches the others. */
  transport(host: string): Transport {
    return {
      listen: async (address, onChannel) => this.#listen(address, onChannel),
      dial: (address, onChannel, onFailed) => {
        let isCancelled = false
        this.#clock.after(this.#delayMs(), () => {
          if (!isCancelled) this.#connect(host, address, onChannel, onFailed)
        })
        return () => {
          isCancelled = true
        }
      },
    }
  }

  /** Lets pass only what `canReach` allows; without an argument everything passes again. */
  partition(canReach: (host: string, other: string) => boolean = () => true): void {
    this.#canReach = canReach
  }

  /** Kills `host`: its port closes, and the other ends of its connections hear of it. */
  crash(host: string): void {
    this.#listeners.delete(host)
    for (const pair of [...this.#ends])
      for (const [own, other] of [pair, [pair[1], pair[0]] as const]) {
        if (own.host !== host) continue
        own.handler = undefined
        this.#close(pair, own, other)
      }
  }

  #listen(address: Address, onChannel: OnChannel): { port: number; stop(): Promise<void> } {
    this.#listeners.set(address.host, onChannel)
    const stop = async () => {
      this.#listeners.delete(address.host)
    }
    return { port: address.port, stop }
  }

  #connect(
    host: string,
    address: Address,
    onChannel: OnChannel,
    onFailed: (reason: string) => void,
  ): void {
    const accept = this.#listeners.get(address.host)
    if (!accept || !this.#canReach(host, address.host)) {
      this.#clock.after(this.#delayMs(), () => onFailed('nobody listens there'))
      return
    }
    const near: End = { handler: undefined, isOpen: true, host, lastDueMs: 0 }
    const far: End = { handler: undefined, isOpen: true, host: address.host, lastDueMs: 0 }
    const pair = [near, far] as const
    this.#ends.add(pair)
    far.handler = accept(this.#channel(pair, far, near))
    near.handler = onChannel(this.#channel(pair, near, far))
  }

  #channel(pair: readonly [End, End], own: End, other: End): Channel {
    return {
      remote: other.host,
      send: (message) => {
        if (own.isOpen) this.#send(own, other, Uint8Array.from(message))
      },
      allow: () => {},
      close: () => {
        own.handler = undefined
        this.#close(pair, own, other)
      },
    }
  }

  #send(own: End, other: End, message: Uint8Array): void {
    const { dropShare, duplicateShare, reorderShare } = this.faults
    if (this.#random.next() < dropShare) return
    const copies = this.#random.next() < duplicateShare ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      const dueMs = this.#clock.monotonic() + this.#delayMs()
      const isEarly = this.#random.next() < reorderShare
      const atMs = isEarly ? dueMs : Math.max(dueMs, other.lastDueMs)
      other.lastDueMs = Math.max(other.lastDueMs, atMs)
      this.#clock.after(atMs - this.#clock.monotonic(), () => {
        if (this.#canReach(own.host, other.host)) other.handler?.message(message)
      })
    }
  }

  #close(pair: readonly [End, End], own: End, other: End): void {
    if (!own.isOpen) return
    own.isOpen = false
    this.#ends.delete(pair)
    const waitMs = Math.max(this.#delayMs(), other.lastDueMs - this.#clock.monotonic())
    this.#clock.after(waitMs, () => {
      if (!this.#canReach(own.host, other.host)) return
      other.isOpen = false
      const handler = other.handler
      other.handler = undefined
      handler?.closed('the other end closed')
    })
  }

  #delayMs(): number {
    const [least, most] = this.faults.delayMs
    return least + this.#random.next() * (most - least)
  }
}
