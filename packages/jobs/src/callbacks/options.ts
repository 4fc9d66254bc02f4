/** How callbacks are sent. Times in ms. */
export interface CallbackOptions {
  /** The waits before the second attempt, the third, and so on; after the last it has failed. */
  readonly waitsMs: readonly number[]
  /** Each wait is drawn from itself less this share to itself plus it, so that no crowd gathers. */
  readonly jitter: number
  /** The whole of one attempt. */
  readonly attemptMs: number
  /** Attempts at one time. */
  readonly concurrency: number
  /** Attempts at one receiver at one time, so that a slow one takes no place from the others. */
  readonly receiverConcurrency: number
  /** How often it looks for what is due when nobody tells it. */
  readonly everyMs: number
  /** Bytes of a receiver's answer that are read. */
  readonly answerBytesMax: number
  /** A receiver that failed so often in a row is left alone for `restFirstMs`, then twice that, … */
  readonly failuresMax: number
  readonly restFirstMs: number
  readonly restMostMs: number
}

export const callbackDefaults: CallbackOptions = {
  waitsMs: [
    5_000, 30_000, 120_000, 600_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 28_800_000,
  ],
  jitter: 0.2,
  attemptMs: 15_000,
  concurrency: 32,
  receiverConcurrency: 8,
  everyMs: 100,
  answerBytesMax: 65_536,
  failuresMax: 5,
  restFirstMs: 10_000,
  restMostMs: 600_000,
}
