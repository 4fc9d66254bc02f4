import type { Clock, Random } from '@drover/kernel'
import type { Arc } from '@drover/ring'

/**
 * A replica as a policy sees it. The data plane keeps one object per replica for as long as the
 * replica is in the plan, so live fields survive a new plan; a policy is made anew with each plan.
 */
export interface Candidate {
  readonly id: string
  readonly name: string
  /** Share relative to the others. Above 0; slow start is already counted in. */
  weight: number
  /** Live: requests under way. Kept by the data plane. */
  inFlight: number
  /** As many requests may be under way; `Infinity` without a bound. */
  inFlightMax: number
  /** Live: the estimate of peak-ewma, in ms. Kept by the policy. */
  latencyMs: number
  /** Live: when `latencyMs` was last changed, in monotonic ms. Kept by the policy. */
  latencyAtMs: number
  /** Live: the credit of smooth weighted round robin. Kept by the policy. */
  credit: number
}

/** What is asked of a policy for one request. One object is reused for all: keep nothing of it. */
export interface PickRequest {
  /** What a hashed policy hashes; a number only for `request-id` keys. */
  key: string | number
  /** Replicas that this request was already sent to; never chosen again. */
  tried: readonly Candidate[]
}

/** Spreads requests over the candidates it was made for. Called on the hot path: no allocation. */
export interface Policy {
  /**
   * Returns a candidate that is free (see `isFree`), or undefined when none is. Does not change
   * `inFlight`: the data plane counts once it has sent the request.
   */
  pick(request: PickRequest): Candidate | undefined
  /** Learns how long `candidate` took to its first byte. */
  observe?(candidate: Candidate, firstByteMs: number): void
}

/** The options of a plan, already checked by `checkPolicyOptions`. */
export type PolicyOptions = Readonly<Record<string, number | string>>

interface PolicyContext {
  readonly clock: Clock
  readonly random: Random
  readonly options: PolicyOptions
}

/** What a file under policies/ exports: makes the policy for the candidates of one plan. */
export type CreatePolicy = (candidates: readonly Candidate[], context: PolicyContext) => Policy

/** Tells each candidate's stretches of the policy's ring, in their order, for drawing it. */
export type ArcsOf = (
  candidates: readonly Candidate[],
  options: PolicyOptions,
) => (readonly Arc[])[]

/** Holds when a request may be sent to `candidate`: it has room, and was not tried before. */
export function isFree(candidate: Candidate, request: PickRequest): boolean {
  return (
    candidate.inFlight < candidate.inFlightMax &&
    (request.tried.length === 0 || !request.tried.includes(candidate))
  )
}
