/** How long and how much is kept; what bounds the store. */
export interface RetentionOptions {
  /** Jobs that have ended, with their callbacks, for so long after their end, in ms. */
  readonly jobsKeptMs: number
  /** Their results for so long, in ms; then the job is known still, but what it found is gone. */
  readonly resultsKeptMs: number
  /** Of jobs that have ended, the newest so many. A million take about a gigabyte. */
  readonly endedMax: number
  /** Results as they are packed, in bytes; beyond it those of the oldest jobs go first. */
  readonly resultBytesMax: number
}

export const retentionDefaults: RetentionOptions = {
  jobsKeptMs: 2_592_000_000,
  resultsKeptMs: 604_800_000,
  endedMax: 1_000_000,
  resultBytesMax: 10_737_418_240,
}
