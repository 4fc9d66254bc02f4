/** How jobs move on. Times in ms. */
export interface PipelineOptions {
  /** Submissions that the recorder stores in one transaction. */
  readonly recordMax: number
  /** How often the publisher looks for new jobs when nobody tells it. Less starts jobs sooner. */
  readonly publishEveryMs: number
  /**
   * Jobs of one type between the publisher and their end. The others wait in the store, where turns
   * and priorities are decided; more keeps more workers busy, and makes a newcomer wait longer.
   */
  readonly window: number
  /** A claim is renewed at a third of this; what a dead process had is taken up again after it. */
  readonly claimMs: number
  /** How often the publisher looks for claims that are over, and for delayed jobs that are due. */
  readonly sweepEveryMs: number
  /** Jobs are published again when their queue has fewer than were put there so long ago. */
  readonly lostMs: number
  /** Jobs of each type that one worker process has under way. */
  readonly workerConcurrency: number
  /** Workers that may die over one job before it is dead itself. */
  readonly lossesMax: number
  /** The waits between attempts at one page. */
  readonly retryFirstMs: number
  readonly retryMostMs: number
}

export const pipelineDefaults: PipelineOptions = {
  recordMax: 500,
  publishEveryMs: 10,
  window: 200,
  claimMs: 30_000,
  sweepEveryMs: 500,
  lostMs: 60_000,
  workerConcurrency: 32,
  lossesMax: 5,
  retryFirstMs: 2_000,
  retryMostMs: 600_000,
}
