import { describeError } from '@drover/kernel'
import { Addresses, systemResolve } from './addresses.ts'
import type { Balancer, BalancerEvent, BalancerParts, NewReplica } from './balancer.ts'
import { Certificates, type TlsPlans } from './certificates.ts'
import { checkModel } from './check-model.ts'
import { isPlainName } from './check-service.ts'
import { any, check, checkNumbers, isHost, whole } from './checks.ts'
import { Conditions } from './conditions.ts'
import { fault } from './errors.ts'
import { renderMetrics, TransitionCounts } from './metrics.ts'
import type { Model } from './model.ts'
import type { Engine, EngineEvent, Plan, PolicyPlan, RefusedRequest } from './plan.ts'
import { PlanPusher } from './plan-pusher.ts'
import { checkPolicyOptions } from './policies/table.ts'
import { firstServicePlan, type Member, Pool, type PoolParts } from './pool.ts'
import { createProbe } from './probe.ts'
import { Rates } from './rates.ts'
import { type BalancerStatus, readStatus } from './status.ts'

const noModel: Model = { listeners: [], services: [], trustedProxies: [] }

/**
 * What joins the parts: the model gives pools, pools and certificates give the plan, the plan goes
 * to the engine, and what the engine tells goes to the pools.
 *
 *   model ──▶ pools (members: health ◀── checks) ──▶ plan ──▶ engine
 *               ▲                                               │
 *               └───────────── answered, failed, drained ◀──────┘
 */
export class ControlPlane implements Balancer {
  readonly #parts: BalancerParts
  readonly #engine: Engine
  readonly #pools = new Map<string, Pool>()
  readonly #pusher: PlanPusher
  readonly #addresses: Addresses
  readonly #certificates: Certificates
  readonly #rates: Rates
  readonly #conditions = new Conditions()
  readonly #transitions = new TransitionCounts()
  readonly #listeners = new Set<(event: BalancerEvent) => void>()
  #model = noModel
  /** The replicas that the engine sends new requests, by the last plan that it took. */
  #served: ReadonlySet<string> = new Set()
  #stopping: Promise<void> | undefined

  constructor(parts: BalancerParts) {
    const { engine, clock, random, log } = parts
    const onTrouble = (reason: string) => this.#trouble(reason)
    this.#parts = parts
    this.#engine = engine
    this.#pusher = new PlanPusher({
      engine,
      clock,
      random,
      plan: () => this.#plan(this.#model, this.#certificates.plans),
      onApplied: (plan) => this.#applied(plan),
      onTrouble,
    })
    this.#certificates = new Certificates({
      clock,
      log,
      onChange: () => this.#pusher.push(),
      onTrouble,
    })
    this.#addresses = new Addresses({
      clock,
      log,
      resolve: parts.resolve ?? systemResolve,
      onAddresses: (service, replicas) => this.#pools.get(service)?.setFixed(replicas),
    })
    this.#rates = new Rates(clock, () => engine.stats())
    engine.on((event) => this.#learn(event))
  }

  async start(model: Model): Promise<void> {
    await this.#move(model, (plan) => this.#engine.start(plan))
    this.#rates.start()
  }

  async apply(model: Model): Promise<void> {
    await this.#move(model, (plan) => this.#engine.apply(plan))
  }

  stop(graceMs: number): Promise<void> {
    this.#stopping ??= this.#stop(graceMs)
    return this.#stopping
  }

  ports(): Readonly<Record<string, number>> {
    return this.#engine.ports()
  }

  addReplica(service: string, replica: NewReplica): void {
    const { id, name, host, port, weight = 1 } = replica
    const pool = this.#pool(service)
    check(isPlainName(id), 'replica id', 'a line of plain characters', id)
    check(isPlainName(name), 'replica name', 'a line of plain characters', name)
    check(isHost(host), `replica ${id} host`, 'an address or a host name', host)
    checkNumbers(`replica ${id}`, [
      ['port', port, whole(1, 65_535)],
      ['weight', weight, any(0.001, 1_000_000)],
    ])
    if (this.#find(id)) throw new RangeError(`replica ${id} is there already`)
    pool.add({ id, name, host, port, weight, supervised: true })
  }

  expectReplicas(service: string, count: number): void {
    checkNumbers(`service ${service}`, [['expected replicas', count, whole(0)]])
    this.#pool(service).expect(count)
  }

  replicaSaidReady(id: string): void {
    const found = this.#find(id)
    found?.pool.saidReady(found.member)
  }

  replicaGone(id: string, reason: string): void {
    this.#find(id)?.pool.remove(id, reason)
    this.#conditions.changed()
  }

  drain(id: string, reason: string): void {
    const { pool, member } = this.#known(id)
    pool.drain(member, reason)
  }

  resume(id: string, reason: string): void {
    const { pool, member } = this.#known(id)
    pool.resume(member, reason)
  }

  setWeight(id: string, weight: number): void {
    const { pool, member } = this.#known(id)
    checkNumbers(`replica ${id}`, [['weight', weight, any(0.001, 1_000_000)]])
    pool.setWeight(member, weight)
  }

  async setPolicy(service: string, policy: PolicyPlan): Promise<void> {
    const pool = this.#pool(service)
    checkPolicyOptions(policy)
    const build = (): Plan => {
      const plan = this.#plan(this.#model, this.#certificates.plans)
      const services = plan.services.map((one) => (one.name === service ? { ...one, policy } : one))
      return { ...plan, services }
    }
    await this.#pusher.bring(build, async (plan) => {
      await this.#engine.apply(plan)
      pool.setPolicy(policy)
    })
  }

  async whenReady(id: string, signal: AbortSignal): Promise<void> {
    const member = this.#known(id).member
    await this.#conditions.until(() => {
      const { state, reason, available } = member.health
      if (state === 'stopped')
        throw fault('UNKNOWN_REPLICA', `replica ${id} ended before it was ready: ${reason}`)
      return available && this.#served.has(id)
    }, signal)
  }

  async whenDrained(id: string, signal: AbortSignal): Promise<void> {
    const member = this.#find(id)?.member
    if (member === undefined) return
    const isDone = () => {
      const { state } = member.health
      const isEmpty = member.drained || !member.inTraffic
      return signal.aborted || state === 'stopped' || (state === 'draining' && isEmpty)
    }
    await this.#conditions.until(isDone, signal)
  }

  status(): Promise<BalancerStatus> {
    const pools = [...this.#pools.values()]
    const { listeners } = this.#model
    return readStatus({ engine: this.#engine, listeners, pools, rates: this.#rates })
  }

  async metrics(): Promise<string> {
    return renderMetrics(await this.status(), this.#transitions)
  }

  refused(): Promise<readonly RefusedRequest[]> {
    return this.#engine.refused()
  }

  on(listener: (event: BalancerEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Takes up `model` if the engine, told by `how`, takes it; else everything stays as it is. */
  async #move(model: Model, how: (plan: Plan) => Promise<void>): Promise<void> {
    checkModel(model)
    const tls = await this.#certificates.load(model.listeners)
    const build = () => this.#plan(model, tls)
    await this.#pusher.bring(build, async (plan) => {
      await how(plan)
      this.#follow(model, tls)
    })
  }

  #follow(model: Model, tls: TlsPlans): void {
    this.#model = model
    this.#certificates.follow(model.listeners, tls)
    const kept = new Set(model.services.map(({ name }) => name))
    for (const [name, pool] of this.#pools) if (!kept.has(name)) this.#close(name, pool)
    for (const service of model.services) {
      const pool = this.#pools.get(service.name)
      if (pool) pool.follow(service)
      else this.#pools.set(service.name, new Pool(service, this.#poolParts(service.name)))
    }
    this.#addresses.follow(model.services)
  }

  #close(name: string, pool: Pool): void {
    for (const { id } of pool.members) pool.remove(id, 'its service is no longer configured')
    pool.stop()
    this.#pools.delete(name)
    this.#conditions.changed()
  }

  #poolParts(service: string): PoolParts {
    const { clock, random, log, probe = createProbe(clock) } = this.#parts
    return {
      clock,
      random,
      log,
      probe,
      onChange: () => this.#pusher.push(),
      onTransition: (transition) => {
        this.#transitions.count(service, transition)
        this.#emit({ kind: 'transition', service, transition })
        this.#conditions.changed()
      },
      onUnfit: (replica, reason) => this.#emit({ kind: 'unfit', service, replica, reason }),
    }
  }

  /** The plan for `model`: its own services, with the replicas that are there now. */
  #plan(model: Model, tls: TlsPlans): Plan {
    const { listeners, services, ...rest } = model
    return {
      ...rest,
      listeners: listeners.map(({ tls: _files, ...listener }) => {
        const plan = tls.get(listener.name)
        return plan ? { ...listener, tls: plan } : listener
      }),
      services: services.map((service) => {
        const pool = this.#pools.get(service.name)
        if (pool === undefined) return firstServicePlan(service)
        return model === this.#model ? pool.plan() : pool.plan(service, service.policy)
      }),
    }
  }

  #applied(plan: Plan): void {
    const replicas = plan.services.flatMap((service) => service.replicas)
    this.#served = new Set(replicas.filter(({ draining }) => !draining).map(({ id }) => id))
    this.#conditions.changed()
  }

  #learn(event: EngineEvent): void {
    if (event.kind === 'trouble') {
      this.#trouble(event.reason)
      return
    }
    const found = this.#find(event.replica)
    if (found === undefined) return
    const { member } = found
    if (event.kind === 'answered') member.health.requestAnswered()
    else if (event.kind === 'failed')
      member.health.requestFailed(event.reason, event.refused ?? false)
    else this.#drained(member)
  }

  #drained(member: Member): void {
    // Said of an earlier draining, it would be taken for this one.
    if (member.health.state !== 'draining') return
    member.drained = true
    this.#conditions.changed()
  }

  #trouble(reason: string): void {
    this.#parts.log.warn(reason)
    this.#emit({ kind: 'trouble', reason })
  }

  #emit(event: BalancerEvent): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event)
      } catch (error) {
        // One who listens badly must not keep requests from a replica that is well.
        this.#parts.log.error({ cause: describeError(error) }, 'a listener failed')
      }
    }
  }

  #pool(service: string): Pool {
    const pool = this.#pools.get(service)
    if (pool) return pool
    const known = [...this.#pools.keys()].join(', ') || 'none'
    throw fault('UNKNOWN_SERVICE', `unknown service ${service}; known are ${known}`)
  }

  #find(id: string): { readonly pool: Pool; readonly member: Member } | undefined {
    for (const pool of this.#pools.values()) {
      const member = pool.find(id)
      if (member) return { pool, member }
    }
    return undefined
  }

  #known(id: string): { readonly pool: Pool; readonly member: Member } {
    const found = this.#find(id)
    if (found) return found
    throw fault('UNKNOWN_REPLICA', `unknown replica ${id}`)
  }

  async #stop(graceMs: number): Promise<void> {
    this.#rates.stop()
    this.#addresses.stop()
    this.#certificates.stop()
    for (const pool of this.#pools.values()) pool.stop()
    await this.#pusher.stop()
    await this.#engine.stop(graceMs)
  }
}
