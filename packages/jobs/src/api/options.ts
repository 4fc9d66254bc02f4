/** What the API takes from one account. */
export interface ApiOptions {
  /** Told in the course's answers, so that one sees which replica answered. */
  readonly replicaId: string | number
  /** Jobs of one batch. */
  readonly batchMax: number
  /** Unfinished jobs of one account; beyond them QUOTA_REACHED. 0 means no limit. */
  readonly unfinishedMax: number
  /** How long a replica believes the number of unfinished jobs that it counted, in ms. */
  readonly countedMs: number
  /** Attempts at one page unless the request says otherwise. */
  readonly attemptsMax: number
  /** How often a watch looks for changes, in ms. */
  readonly watchEveryMs: number
  /** Watches at one time. */
  readonly watchersMax: number
  /**
   * Whether the last address of `x-forwarded-for` is the client's, because a front door of ours
   * wrote it. It decides whose wrong passwords count together.
   */
  readonly trustForwarded: boolean
}

export const apiDefaults: ApiOptions = {
  replicaId: 1,
  batchMax: 1_000,
  unfinishedMax: 100_000,
  countedMs: 1_000,
  attemptsMax: 5,
  watchEveryMs: 500,
  watchersMax: 500,
  trustForwarded: false,
}
