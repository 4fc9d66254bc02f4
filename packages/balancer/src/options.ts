import type {
  CheckModel,
  EjectionModel,
  HealthModel,
  ListenerModel,
  ServiceModel,
} from './model.ts'

/** How a replica is asked whether it is well. */
export const defaultCheck: CheckModel = {
  /** An HTTP check sees that the program answers; a TCP check only that somebody listens. */
  kind: 'http',
  /** Cheap for the replica to answer, and honest: it should fail when requests would. */
  path: '/',
  /** Anything that is not a failure of the server itself: many programs answer 404 on `/`. */
  statuses: ['200-499'],
  /**
   * Ms between two checks of a replica that is well, ± 10 % so that checks do not march in step.
   * A hung replica is noticed after about intervalMs + fall · timeoutMs; shorter costs it requests.
   */
  intervalMs: 2_000,
  /**
   * Ms between the first checks of a new replica; each wait is 1.2 times the last, up to intervalMs.
   * It is what a start is delayed by at most; shorter costs CPU while programs start.
   */
  startIntervalMs: 20,
  /** Ms until a check without an answer has failed. Longer than the slowest honest answer. */
  timeoutMs: 1_000,
  /** 1 brings a replica in soonest; more guards against one that flaps. */
  rise: 1,
  /** 1 takes a replica out soonest; more forgives a pause. A closed port is not forgiven. */
  fall: 3,
}

/** When failed requests take a replica out, and for how long. */
export const defaultEjection: EjectionModel = {
  /** Fewer acts sooner, and on bad luck. Refusals of the door itself are never counted. */
  failuresMax: 5,
  /**
   * Ms of the first ejection; the n-th in a row lasts n · baseMs. Each baseMs of good health takes
   * one off n again. Longer spares clients; shorter gives the replica back sooner.
   */
  baseMs: 5_000,
  /** Ms that no ejection passes. */
  mostMs: 60_000,
  /** More keeps more bad replicas away; less keeps the rest from being overrun. */
  shareMax: 0.5,
}

export const defaultHealth: HealthModel = {
  check: defaultCheck,
  ejection: defaultEjection,
  /**
   * A window spares replicas with cold caches the full load at once, but shares are not exact while
   * it lasts. Weight in it: weight · max(leastShare, elapsed / windowMs). Policies that hash ignore
   * it, because a changed weight would move keys.
   */
  slowStart: { windowMs: 0, leastShare: 0.1 },
  /** 0: only when none at all is available. More trusts the checks less. */
  panicShare: 0,
}

/** Returns a service named `name`: everything at its default but what is given. */
export function defaultService(
  name: string,
  given: Partial<Omit<ServiceModel, 'name'>> = {},
): ServiceModel {
  return {
    name,
    policy: { name: 'round-robin', key: { from: 'client' }, options: {} },
    health: defaultHealth,
    addresses: [],
    /** Three attempts survive two dead replicas; the budget keeps retries from becoming a storm. */
    retry: { attemptsMax: 3, budgetShare: 0.2, budgetPerSecond: 10 },
    /**
     * Waiting rides out a restart; more than a second's worth of requests only makes all of them
     * late. Newest first keeps some clients content under lasting overload, and starves the others.
     */
    queue: { sizeMax: 1_024, waitMs: 5_000, order: 'oldest-first' },
    /** No bound: a replica that should have one is known to its owner only. */
    inFlightMax: 0,
    timeouts: {
      /** On one machine a connection takes under 1 ms; two seconds survive one lost SYN. */
      connectMs: 2_000,
      /** From the request sent to the first byte. Then 504. */
      firstByteMs: 30_000,
      /** 0 lets streams and downloads last. */
      responseMs: 0,
      /** Below the 5 s after which node closes an idle connection. */
      keepAliveMs: 4_000,
    },
    answers: [],
    sendProxyProtocol: false,
    ...given,
  }
}

/** Returns a listener named `name`: everything at its default but what is given. */
export function defaultListener(
  name: string,
  given: Partial<Omit<ListenerModel, 'name'>> = {},
): ListenerModel {
  return {
    name,
    host: '127.0.0.1',
    port: 0,
    protocol: 'http',
    routes: [],
    acceptProxyProtocol: false,
    limits: {
      /** Each costs about 10 KiB of memory. */
      connectionsMax: 16_384,
      headBytesMax: 16_384,
      headersMax: 100,
      /** No bound: bodies are streamed, so a large one costs no memory here. */
      bodyBytesMax: 0,
    },
    timeouts: {
      /** A client that sends its head more slowly is cut (slowloris). */
      headMs: 10_000,
      /** Longer saves clients connections; shorter saves memory. */
      idleMs: 60_000,
      /** No byte of progress in a body. */
      stallMs: 60_000,
    },
    ...given,
  }
}
