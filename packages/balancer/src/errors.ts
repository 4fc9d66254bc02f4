import { type FaultRow, faults } from '@drover/kernel'

/** What the front door may refuse; docs/errors.md is held to this table by a test. */
export const balancerFaults = {
  /** No replica of the service can take the request now. */
  NO_REPLICA: { status: 503, retry: 'later' },
  /** Every replica is busy and as many requests wait already as may. */
  QUEUE_FULL: { status: 503, retry: 'later' },
  /** The request waited for a replica as long as it may. */
  WAIT_EXPIRED: { status: 503, retry: 'later' },
  /** The replica refused the connection, or broke it before its answer was whole. */
  REPLICA_FAILED: { status: 502, retry: 'later' },
  /** The replica's answer is not HTTP as it should be. */
  REPLICA_BROKE_RULES: { status: 502, retry: 'never' },
  /** The replica did not answer before its deadline; it may have acted all the same. */
  REPLICA_TIMEOUT: { status: 504, retry: 'never' },
  /** This client sends more requests than the service allows each one. */
  RATE_LIMITED: { status: 429, retry: 'later' },
  /** No route of the listener fits the request. */
  NO_ROUTE: { status: 404, retry: 'never' },
  /** The request breaks the rules of HTTP; the message names the rule. */
  REQUEST_REFUSED: { status: 400, retry: 'never' },
  /** The client stopped sending its request half-way. */
  REQUEST_TIMEOUT: { status: 408, retry: 'later' },
  /** The request's body is over the listener's limit. */
  BODY_TOO_LARGE: { status: 413, retry: 'never' },
  /** A plan that cannot be used; the message names the thing that is wrong, the old plan stays. */
  PLAN_REFUSED: { status: 400, retry: 'never' },
  /** A policy or feature that the chosen engine lacks; the message names the engines that have it. */
  POLICY_UNSUPPORTED: { status: 400, retry: 'never' },
  /** A foreign engine is missing, too old, or does not run. */
  ENGINE_FAILED: { status: 500, retry: 'later' },
  /** A replica that the front door does not know. */
  UNKNOWN_REPLICA: { status: 404, retry: 'never' },
  /** A service that the front door does not know. */
  UNKNOWN_SERVICE: { status: 404, retry: 'never' },
} as const satisfies Record<string, FaultRow>

export type BalancerFaultCode = keyof typeof balancerFaults

export const fault = faults(balancerFaults)
