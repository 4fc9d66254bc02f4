import type { DoorAnswer } from './answers.ts'
import type { Forwarding } from './forwarding.ts'
import type { ResponseHead } from './parsing/response-head.ts'

/** The client's side of an exchange: an HTTP/1 connection, or one stream of HTTP/2. */
export interface Client {
  readonly forwarding: Forwarding
  readonly secure: boolean
  sendInformational(head: ResponseHead): void
  /** Begins an answer; `lines` are added to the replica's header lines. */
  sendHead(head: ResponseHead, lines: string): void
  /** The bytes are only lent: valid during the call. */
  sendBytes(bytes: Buffer, from: number, to: number): void
  /** Ends the answer; the client may begin its next request during the call. */
  sendEnd(trailers: string): void
  /** A whole answer of the door's own; as `sendEnd`. */
  sendAnswer(answer: DoorAnswer): void
  /** Passes on a 101; from now on bytes are neither framed nor parsed. */
  sendUpgrade(head: ResponseHead): void
  /** The replica ended its side of the tunnel. */
  endTunnel(): void
  /** Ends an answer that cannot be completed, so that the client notices. */
  cut(): void
  /** Writes what was gathered. False: the client is slow, wait for `Exchange.clientWritable`. */
  flush(): boolean
  /** Stops and goes on taking request bytes from the client. */
  pauseBody(): void
  resumeBody(): void
}
