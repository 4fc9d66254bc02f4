import type { Address, Cancel } from '@drover/kernel'

/**
 * One connection between two servers, which carries whole messages in order. What a transport may do
 * wrong (lose, repeat, reorder, break) the link above it notices.
 */
export interface Channel {
  /** Where the other end is, for the log. */
  readonly remote: string
  /** Sends a copy of `message`. After `close` it does nothing. */
  send(message: Uint8Array): void
  /** Messages longer than this from the other end close the channel. */
  allow(messageBytesMax: number): void
  /** Ends the connection; the own handler is not told. */
  close(): void
}

/** Takes what a channel brings. */
export interface ChannelHandler {
  /** The bytes are lent: valid during the call. */
  message(bytes: Uint8Array): void
  /** The other end or the network ended it; nothing comes after this. */
  closed(reason: string): void
}

/** Makes the handler of a channel that has just opened. */
export type OnChannel = (channel: Channel) => ChannelHandler

/** How servers reach each other: TCP, or the memory twin of it. */
export interface Transport {
  /** Takes connections at `address`; resolves with the way to stop, and the port it really has. */
  listen(
    address: Address,
    onChannel: OnChannel,
  ): Promise<{ readonly port: number; stop(): Promise<void> }>
  /** Connects once; calls exactly one of the two, unless it is cancelled before. */
  dial(address: Address, onChannel: OnChannel, onFailed: (reason: string) => void): Cancel
}

/** Messages of a peer that has not proved itself may be this long. */
export const strangerBytesMax = 1_024

/** No message is longer than this. */
export const messageBytesMax = 1_048_576
