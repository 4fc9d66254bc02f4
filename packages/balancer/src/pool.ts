import type { Cancel, Clock, Log, Random } from '@drover/kernel'
import { isPanic, mayEject } from './ejection.ts'
import { HealthCheck } from './health-check.ts'
import type { ServiceModel } from './model.ts'
import type { PolicyPlan, ReplicaPlan, ServicePlan } from './plan.ts'
import { policies } from './policies/table.ts'
import type { Probe } from './probe.ts'
import { ReplicaHealth, type Transition } from './replica-health.ts'

/** What a pool is made of, and whom it tells. */
export interface PoolParts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly probe: Probe
  /** What the engine should be told has changed. */
  onChange(): void
  onTransition(transition: Transition): void
  onUnfit(replica: string, reason: string): void
}

/** A replica that joins a pool. */
export interface Joining {
  readonly id: string
  readonly name: string
  readonly host: string
  readonly port: number
  readonly weight: number
  /** Somebody restarts it when it is unfit; else its address is fixed. */
  readonly supervised: boolean
}

/** A replica of a pool. */
export interface Member extends Joining {
  weight: number
  readonly health: ReplicaHealth
  check: HealthCheck
  /** It was in a plan, so the engine may have requests under way at it. */
  inTraffic: boolean
  /** The engine said that nothing is under way at it any more. */
  drained: boolean
}

/** As many members that ended are remembered. */
const pastMax = 20

/** The replicas of one service: who is there, how they are, and what the engine is told of them. */
export class Pool {
  readonly #parts: PoolParts
  readonly #members = new Map<string, Member>()
  readonly #past: Member[] = []
  #model: ServiceModel
  #policy: PolicyPlan
  /** How many replicas there should be. */
  #wanted: number
  #cancelRamp: Cancel | undefined

  constructor(model: ServiceModel, parts: PoolParts) {
    this.#model = model
    this.#policy = model.policy
    this.#wanted = model.expectedReplicas ?? 0
    this.#parts = parts
  }

  get name(): string {
    return this.#model.name
  }

  get policy(): PolicyPlan {
    return this.#policy
  }

  get wanted(): number {
    return this.#wanted
  }

  get members(): readonly Member[] {
    return [...this.#members.values()]
  }

  /** The members that ended last, newest first. */
  get past(): readonly Member[] {
    return this.#past
  }

  get available(): number {
    return this.members.filter(({ health }) => health.available).length
  }

  /** Holds while ejected replicas are used because too few others are left and none is coming. */
  get panic(): boolean {
    // A fixed address that never answered may never do so; nobody waits for it.
    if (this.members.some(({ health, supervised }) => supervised && health.coming)) return false
    return isPanic(this.available, this.#ejected(), this.#model.health.panicShare)
  }

  find(id: string): Member | undefined {
    return this.#members.get(id)
  }

  /** Takes up a changed model; members stay as they are, and are checked by the new rules. */
  follow(model: ServiceModel): void {
    const before = this.#model.health
    this.#model = model
    this.#policy = model.policy
    const isSameCheck = JSON.stringify(before.check) === JSON.stringify(model.health.check)
    for (const { health, check } of this.#members.values()) {
      health.follow({ ...model.health.check, ejection: model.health.ejection })
      if (!isSameCheck) check.follow(model.health.check)
    }
    this.#parts.onChange()
  }

  setPolicy(policy: PolicyPlan): void {
    this.#policy = policy
    this.#parts.onChange()
  }

  expect(count: number): void {
    this.#wanted = count
    this.#parts.onChange()
  }

  /** Lets a replica join: it is checked at once. */
  add(joining: Joining): void {
    const health = this.#createHealth(joining.id)
    const check = this.#createCheck(joining, health)
    this.#members.set(joining.id, { ...joining, health, check, inTraffic: false, drained: false })
    check.now()
    this.#parts.onChange()
  }

  /** Forgets a replica at once. */
  remove(id: string, reason: string): void {
    const member = this.#members.get(id)
    if (member === undefined) return
    member.check.stop()
    member.health.stop(reason)
    this.#members.delete(id)
    this.#past.unshift(member)
    if (this.#past.length > pastMax) this.#past.pop()
    this.#parts.onChange()
  }

  drain(member: Member, reason: string): void {
    member.check.stop()
    member.health.drain(reason)
  }

  resume(member: Member, reason: string): void {
    if (member.health.state !== 'draining') return
    member.drained = false
    member.check = this.#createCheck(member, member.health)
    member.health.resume(reason)
    member.check.now()
  }

  /** Makes those at fixed addresses be `joining`: adds who is missing, removes who is too many. */
  setFixed(joining: readonly Joining[]): void {
    const kept = new Set(joining.map(({ id }) => id))
    for (const { id, supervised } of this.members)
      if (!supervised && !kept.has(id)) this.remove(id, 'its address is no longer configured')
    for (const one of joining) {
      const member = this.#members.get(one.id)
      if (member === undefined) this.add(one)
      else if (member.weight !== one.weight) this.setWeight(member, one.weight)
    }
  }

  setWeight(member: Member, weight: number): void {
    member.weight = weight
    this.#parts.onChange()
  }

  saidReady(member: Member): void {
    member.health.saidReady()
    member.check.now()
  }

  /** Ends all checks and timers. */
  stop(): void {
    this.#cancelRamp?.()
    for (const { check } of this.#members.values()) check.stop()
  }

  /** Returns what the engine is told, by `model` where the pool does not follow it yet. */
  plan(model: ServiceModel = this.#model, policy: PolicyPlan = this.#policy): ServicePlan {
    const replicas = this.#replicas()
    const coming = this.members.filter(({ health }) => health.coming).length
    const inNow = replicas.filter(({ draining }) => !draining).length
    return servicePlan(model, {
      policy,
      replicas,
      expected: Math.max(coming, this.#wanted - inNow, 0),
    })
  }

  #replicas(): ReplicaPlan[] {
    const { panic } = this
    const replicas: ReplicaPlan[] = []
    for (const member of this.#members.values()) {
      const { id, name, host, port, health } = member
      const draining = health.state === 'draining'
      const isLastHope = panic && health.state === 'ejected' && health.listening
      const isTold = draining ? member.inTraffic : health.available || isLastHope
      member.inTraffic ||= isTold
      if (isTold) replicas.push({ id, name, host, port, weight: this.weightOf(member), draining })
    }
    return replicas
  }

  /** The weight with slow start counted in. */
  weightOf(member: Member): number {
    const { leastShare } = this.#model.health.slowStart
    return member.weight * Math.max(leastShare, member.health.rampedShare)
  }

  #createHealth(id: string): ReplicaHealth {
    const { check, ejection } = this.#model.health
    return new ReplicaHealth(
      id,
      { ...check, ejection },
      {
        clock: this.#parts.clock,
        mayEject: () => {
          const ejected = this.#ejected()
          return mayEject(ejected, this.available + ejected, this.#model.health.ejection)
        },
        rampMs: () => this.#rampMs(),
        onTransition: (transition) => this.#learn(transition),
        onUnfit: (reason) => {
          if (this.#members.get(id)?.supervised) this.#parts.onUnfit(id, reason)
        },
      },
    )
  }

  #createCheck(target: Joining, health: ReplicaHealth): HealthCheck {
    const { clock, random, probe } = this.#parts
    return new HealthCheck(this.#model.health.check, { target, health, probe, clock, random })
  }

  #ejected(): number {
    return this.members.filter(({ health }) => health.state === 'ejected').length
  }

  /**
   * A policy that hashes would move keys with each changed weight, and while nobody else has its
   * full share there is nobody to take the rest.
   */
  #rampMs(): number {
    if (policies[this.#policy.name].hashed) return 0
    const isRelieved = this.members.some(({ health }) => health.state === 'ready')
    return isRelieved ? this.#model.health.slowStart.windowMs : 0
  }

  #learn(transition: Transition): void {
    const { replica, from, to, reason } = transition
    this.#parts.log.info({ service: this.name, replica, from, to }, reason)
    if (to === 'suspect') this.#members.get(replica)?.check.now()
    if (to === 'slow-start') this.#ramp()
    this.#parts.onTransition(transition)
    this.#parts.onChange()
  }

  /** Tells the engine of growing shares at a coarse tick, while there are any. */
  #ramp(): void {
    if (this.#cancelRamp) return
    const tickMs = Math.min(1_000, Math.max(100, this.#model.health.slowStart.windowMs / 20))
    this.#cancelRamp = this.#parts.clock.every(tickMs, () => {
      for (const { health } of this.#members.values()) health.settle()
      if (this.members.every(({ health }) => health.rampedShare === 1)) {
        this.#cancelRamp?.()
        this.#cancelRamp = undefined
      }
      this.#parts.onChange()
    })
  }
}

/** Returns the plan of a service: what its model says, and what changes while it runs. */
export function servicePlan(
  model: ServiceModel,
  changing: Pick<ServicePlan, 'policy' | 'replicas' | 'expected'>,
): ServicePlan {
  const { health: _health, addresses: _addresses, expectedReplicas: _expected, ...rest } = model
  return { ...rest, ...changing }
}

/** Returns the plan of a service that begins: its replicas are coming, and requests wait for them. */
export function firstServicePlan(model: ServiceModel): ServicePlan {
  const expected = model.addresses.length + (model.expectedReplicas ?? 0)
  return servicePlan(model, { policy: model.policy, replicas: [], expected })
}
