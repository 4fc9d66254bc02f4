/** Times in ms. */
export interface AccountOptions {
  /** How long an access token is good. Longer spares clients a refresh, and keeps a stolen one alive. */
  readonly accessMs: number
  /** How long a login can be refreshed. */
  readonly refreshMs: number
  /** A key signs for so long; it still verifies for `accessMs` more. */
  readonly keyMs: number
  /** Wrong passwords for one email before logins are refused for a while. */
  readonly failuresMax: number
  /** The same from one address; more, because a whole office or class may be behind it. */
  readonly clientFailuresMax: number
  /** The first refusal; it doubles with each further failure. */
  readonly throttleFirstMs: number
  readonly throttleMostMs: number
  /** A replica may believe for so long what it knew of a token: how late a revocation may be. */
  readonly sessionCacheMs: number
  /**
   * While the store is away, a replica believes for so long what it knew, so that requests wait in
   * the queue. Longer lets more requests in, and revoked tokens, too.
   */
  readonly storeAwayMs: number
  /** The older secret of callbacks signs, too, for so long after a rotation. */
  readonly webhookOverlapMs: number
}

export const accountDefaults: AccountOptions = {
  accessMs: 3_600_000,
  refreshMs: 2_592_000_000,
  keyMs: 2_592_000_000,
  failuresMax: 5,
  clientFailuresMax: 50,
  throttleFirstMs: 5_000,
  throttleMostMs: 900_000,
  sessionCacheMs: 1_000,
  storeAwayMs: 600_000,
  webhookOverlapMs: 86_400_000,
}
