/** How long servers wait for each other. */
export interface Timings {
  /** An answer waits at most so long for the neighbours' acknowledgements; then it leaves anyway. */
  readonly ackMs: number
  /** A quiet link is asked for a sign of life this often. */
  readonly pingMs: number
  /** A link that acknowledges nothing for so long is half open, or its server hangs: it is closed. */
  readonly silenceMs: number
  /** A connection that has not proved itself by then is closed; so is one that is not made. */
  readonly handshakeMs: number
  /** The ceiling of the first wait before a neighbour is dialled again ... */
  readonly redialFirstMs: number
  /** ... and of every later one. */
  readonly redialMostMs: number
  /** Neighbours are told how far they are complete at most this often. */
  readonly completeMs: number
  /**
   * Neighbours that come up within so long of this server's start have started together with it:
   * without sync they are told what was said meanwhile, and nothing once this has passed.
   */
  readonly togetherMs: number
}

export const defaultTimings: Timings = {
  ackMs: 250,
  pingMs: 1_000,
  silenceMs: 3_000,
  handshakeMs: 2_000,
  redialFirstMs: 100,
  redialMostMs: 5_000,
  completeMs: 50,
  togetherMs: 2_000,
}
