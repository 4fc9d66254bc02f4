import type { Clock, Random } from '@drover/kernel'
import type { EngineEvent, ReplicaPlan, ServicePlan, ServiceStats, StickyPlan } from '../plan.ts'
import { createPolicy, policies } from '../policies/table.ts'
import type { PickRequest, Policy } from '../policy.ts'
import type { Deadlines } from './deadlines.ts'
import type { RequestHead } from './parsing/request-head.ts'
import { RateLimiter } from './rate-limiter.ts'
import { Replica } from './replica.ts'
import { requestKey } from './request-key.ts'
import { RetryBudget } from './retry-budget.ts'
import { Sticky } from './sticky.ts'
import type { UpstreamFailure } from './upstream-connection.ts'
import { WaitQueue } from './wait-queue.ts'

/** What every part of the data plane is given. */
export interface DoorContext {
  readonly clock: Clock
  readonly random: Random
  readonly deadlines: Deadlines
  readonly emit: (event: EngineEvent) => void
}

/** How long a request whose every replica failed waits for news of the control plane, in ms. */
const newsMs = 300

/** As many replicas that left the plan are remembered. */
const pastMax = 32

const untried: readonly Replica[] = []

/** One service as the data plane runs it: its replicas, their policy, and what bounds the load. */
export class Service {
  plan: ServicePlan
  readonly queue: WaitQueue
  readonly budget: RetryBudget
  readonly #context: DoorContext
  readonly #replicas = new Map<string, Replica>()
  /**
   * Those that left, the last one at the end. One that comes back (ejected, then well or draining)
   * has its counts still, and what was under way at it all the time.
   */
  readonly #past = new Map<string, Replica>()
  #policy: Policy
  #hashed = false
  #sticky: Sticky | undefined
  #limiter: RateLimiter | undefined
  /** Reused for every pick: see `PickRequest`. */
  readonly #request: { key: string | number; tried: readonly Replica[] } = {
    key: '',
    tried: untried,
  }
  /** It is in no plan any more: nobody looks after its queue. */
  #retired = false
  #waited = 0
  #waitExpired = 0
  #rateLimited = 0
  #retries = 0
  #retriesDenied = 0

  /** Throws PLAN_REFUSED when the policy's options are wrong. */
  constructor(plan: ServicePlan, context: DoorContext) {
    this.plan = plan
    this.#context = context
    this.queue = new WaitQueue(plan.queue)
    this.budget = new RetryBudget(plan.retry, context.deadlines.nowMs)
    this.#policy = createPolicy(plan.policy, [], context)
    this.apply(plan)
  }

  /** Moves to `plan`. Replicas that stay keep their connections; those gone end what they have. */
  apply(plan: ServicePlan): void {
    const before = this.plan
    this.plan = plan
    this.queue.plan = plan.queue
    this.budget.plan = plan.retry
    this.#applyReplicas(plan)
    const open = [...this.#replicas.values()].filter((replica) => !replica.draining)
    this.#policy = createPolicy(plan.policy, open, this.#context)
    this.#hashed = policies[plan.policy.name].hashed
    if (!isSame(before.sticky, plan.sticky) || !this.#sticky)
      this.#sticky = plan.sticky && new Sticky(plan.sticky)
    this.#applyRateLimit(plan)
    if (plan.expected > 0) this.queue.extend(plan.queue.waitMs)
    this.queue.wakeAll()
  }

  /** What a hashed policy hashes for this request; nothing is read for the others. */
  keyOf(head: RequestHead, client: string): string | number {
    if (!this.#hashed) return ''
    return requestKey(this.plan.policy.key, head, client, this.#context.random)
  }

  /** Chooses a replica that has room and was not `tried`; `preferred` (sticky) goes first. */
  pick(
    key: string | number,
    tried: readonly Replica[],
    preferred: string | undefined,
  ): Replica | undefined {
    if (preferred !== undefined) {
      const replica = this.#replicas.get(preferred)
      if (replica && this.#isOpen(replica, tried)) return replica
    }
    this.#request.key = key
    this.#request.tried = tried
    return this.#policy.pick(this.#request as PickRequest) as Replica | undefined
  }

  /** False when `client` sends more than the service allows. */
  admits(client: string): boolean {
    if (!this.#limiter || this.#limiter.admit(client, this.#context.deadlines.nowMs)) return true
    this.#rateLimited++
    return false
  }

  /** Until when a request that found no replica may wait; undefined when waiting is hopeless. */
  waitUntilMs(tried: readonly Replica[]): number | undefined {
    const { deadlines } = this.#context
    if (this.#retired) return undefined
    if (this.plan.expected > 0) return deadlines.in(this.plan.queue.waitMs)
    const open = [...this.#replicas.values()].filter((replica) => !replica.draining)
    if (open.length === 0 && tried.length === 0) return undefined
    const busy = open.some((replica) => !tried.includes(replica))
    return deadlines.in(busy ? this.plan.queue.waitMs : Math.min(newsMs, this.plan.queue.waitMs))
  }

  countWait(): void {
    this.#waited++
  }

  countWaitExpired(): void {
    this.#waitExpired++
  }

  /**
   * Says whether a request, sent `attempts` times, may be sent once more after `failure`. A replica
   * that saw nothing of it costs no budget; one that may have acted needs an idempotent request.
   */
  mayRepeat(failure: UpstreamFailure, idempotent: boolean, attempts: number): boolean {
    if (failure === 'connect' || (failure === 'stale' && idempotent)) {
      this.#retries++
      return true
    }
    if (failure !== 'silent' || !idempotent || attempts >= this.plan.retry.attemptsMax) return false
    if (this.budget.retry()) {
      this.#retries++
      return true
    }
    this.#retriesDenied++
    return false
  }

  /** A request is on its way to `replica`. */
  begin(replica: Replica): void {
    replica.inFlight++
  }

  /** It has ended, one way or the other: there is room for one that waits. */
  end(replica: Replica): void {
    replica.inFlight--
    if (replica.inFlight === 0 && (replica.draining || replica.gone)) this.#drained(replica)
    this.queue.wake()
  }

  /** An answer began; `status` is that of HTTP. */
  answered(replica: Replica, firstByteMs: number, status = 0): void {
    this.#policy.observe?.(replica, firstByteMs)
    if (status >= (this.plan.failureStatus ?? Number.POSITIVE_INFINITY)) {
      this.failed(replica, `it answered ${status}`, false)
      return
    }
    if (!replica.failing) return
    replica.failing = false
    this.#context.emit({ kind: 'answered', replica: replica.id })
  }

  failed(replica: Replica, reason: string, refused: boolean): void {
    replica.failing = true
    replica.countFailure()
    this.#context.emit({ kind: 'failed', replica: replica.id, reason, refused })
  }

  stickyReplica(head: RequestHead): string | undefined {
    return this.#sticky?.replicaOf(head.header('cookie'))
  }

  /** The Set-Cookie line for an answer of `replica` to a client that came with `preferred`. */
  stickyLine(replica: Replica, preferred: string | undefined, secure: boolean): string {
    if (!this.#sticky || preferred === replica.id) return ''
    return this.#sticky.line(replica.id, secure)
  }

  tick(nowMs: number): void {
    this.budget.tick(nowMs)
    this.queue.tick(nowMs)
  }

  /**
   * Ends the service: those that wait are refused, idle connections close at once, the others as
   * their requests end.
   */
  retire(): void {
    this.#retired = true
    this.apply({ ...this.plan, replicas: [], expected: 0 })
  }

  /** Closes every connection to a replica at once. */
  destroy(): void {
    for (const replica of this.#known()) replica.destroy()
  }

  stats(): ServiceStats {
    return {
      name: this.plan.name,
      waiting: this.queue.size,
      waitedTotal: this.#waited,
      waitExpiredTotal: this.#waitExpired,
      rateLimitedTotal: this.#rateLimited,
      retriesTotal: this.#retries,
      retriesDeniedTotal: this.#retriesDenied,
      replicas: this.#known().map((replica) => replica.stats()),
    }
  }

  #known(): Replica[] {
    return [...this.#replicas.values(), ...this.#past.values()]
  }

  #isOpen(replica: Replica, tried: readonly Replica[]): boolean {
    return !replica.draining && replica.inFlight < replica.inFlightMax && !tried.includes(replica)
  }

  #applyReplicas(plan: ServicePlan): void {
    const kept = new Set(plan.replicas.map(({ id }) => id))
    for (const replica of this.#replicas.values()) if (!kept.has(replica.id)) this.#leave(replica)
    for (const replicaPlan of plan.replicas) {
      const replica = this.#replicaOf(replicaPlan)
      this.#replicas.set(replica.id, replica)
      replica.weight = replicaPlan.weight
      replica.keepAliveMs = plan.timeouts.keepAliveMs
      replica.inFlightMax = plan.inFlightMax || Number.POSITIVE_INFINITY
      const beginsToDrain = replicaPlan.draining && !replica.draining
      replica.draining = replicaPlan.draining
      if (beginsToDrain && replica.inFlight === 0) this.#drained(replica)
    }
  }

  #leave(replica: Replica): void {
    replica.retire()
    this.#replicas.delete(replica.id)
    this.#past.set(replica.id, replica)
    const [oldest] = this.#past.keys()
    if (this.#past.size > pastMax && oldest !== undefined) this.#past.delete(oldest)
  }

  /** The replica that `plan` means: the one that is there, one that comes back, or a new one. */
  #replicaOf(plan: ReplicaPlan): Replica {
    const present = this.#replicas.get(plan.id)
    const known = present ?? this.#past.get(plan.id)
    this.#past.delete(plan.id)
    if (known === undefined || known.host !== plan.host || known.port !== plan.port) {
      known?.retire()
      return new Replica(plan, this.#context.deadlines)
    }
    if (!present) known.comeBack()
    return known
  }

  #drained(replica: Replica): void {
    if (!replica.gone) this.#context.emit({ kind: 'drained', replica: replica.id })
  }

  #applyRateLimit(plan: ServicePlan): void {
    if (!plan.rateLimit) this.#limiter = undefined
    else if (this.#limiter) this.#limiter.plan = plan.rateLimit
    else this.#limiter = new RateLimiter(plan.rateLimit)
  }
}

function isSame(one: StickyPlan | undefined, other: StickyPlan | undefined): boolean {
  return one?.secret === other?.secret && one?.cookie === other?.cookie
}
