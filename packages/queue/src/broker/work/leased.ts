/** Messages as batches, with the attempt of each offset. */
export interface FoundBatches {
  readonly parts: readonly Buffer[]
  /** Offset and attempt, in turns, in the order of handing out. */
  readonly attempts: readonly number[]
}

/** Messages handed out. */
export interface LeasedBatches extends FoundBatches {
  readonly deadlineMs: number
  /** See tokens.ts. */
  readonly mark: number
}

/** Dead messages of one group in one partition, on their way to another topic. */
export interface DeadLetters {
  readonly id: number
  readonly group: string
  readonly topic: string
  readonly index: number
  readonly to: string
  /** Removed by retention before they could be moved. */
  readonly missing: readonly number[]
  /** Attempts and reason of each. */
  readonly about: readonly {
    readonly offset: number
    readonly attempts: number
    readonly reason: string
  }[]
  readonly parts: readonly Buffer[]
}
