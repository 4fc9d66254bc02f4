/** What the API takes from one account. */
export interface ApiOptions {
  /** Told in the course's answers, so that one sees which replica answered. */
  readonly replicaId: string | number
  /** Jobs of one batch. */
  readonly batchMax: number
  /** Unfinished jobs of one account; beyond them QUOTA_REACHED. 0 means no limit. */
  readonly unfinishedMax: number
  /** Jobs that one account may submit in a minute. 0 means no limit. */
  readonly perMinuteMax: number
  /** Schedules of one account. */
  readonly schedulesMax: number
  /** How long a replica believes what it counted in the store, in ms; so far it may be exceeded. */
  readonly countedMs: number
  /** Attempts at one page unless the request says otherwise. */
  readonly attemptsMax: number
  /** How often a watch looks for changes, in ms. */
  readonly watchEveryMs: number
  /** Watches at one time, in all and of one account. */
  readonly watchersMax: number
  readonly watchersPerAccountMax: number
  /**
   * Whether the last address of `x-forwarded-for` is the client's, because a front door of ours
   * wrote it; else the other end of the connection is. It decides whose wrong passwords count
   * together.
   */
  readonly trustForwarded: boolean
}

export const apiDefaults: ApiOptions = {
  replicaId: 1,
  batchMax: 1_000,
  unfinishedMax: 100_000,
  perMinuteMax: 600_000,
  schedulesMax: 100,
  countedMs: 1_000,
  attemptsMax: 5,
  watchEveryMs: 500,
  watchersMax: 500,
  watchersPerAccountMax: 20,
  trustForwarded: false,
}
