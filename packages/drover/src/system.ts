import {
  type Balancer,
  createBalancer,
  type Engine,
  type Model,
  type ServiceModel,
} from '@drover/balancer'
import {
  type Cancel,
  type Clock,
  describeError,
  Fault,
  type Log,
  type Random,
} from '@drover/kernel'
import {
  createSupervisor,
  type Group,
  type GroupEvent,
  type ReplicaInfo,
  type Supervisor,
} from '@drover/supervisor'
import { withDerived } from './config/derived.ts'
import type { Loaded } from './config/load.ts'
import { managedService } from './config/managed.ts'
import { refuseFixedChanges } from './config/reloadable.ts'
import type { Config } from './config/schema.ts'
import { toGroups } from './config/to-groups.ts'
import { toModel } from './config/to-model.ts'
import type { EventLog } from './event-log.ts'
import { Groups } from './groups.ts'
import { managedGroup } from './manage/managed-group.ts'
import { type ManageServer, startManageServer } from './manage/server.ts'
import { groupOf } from './services.ts'
import { hearBalancer, hearGroup, type Joined, tellLoad, trafficOf } from './wiring.ts'

/** What a system is made of. */
export interface SystemParts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly events: EventLog
  readonly engine: Engine
  /** Where the supervisor notes what runs. */
  readonly dataFolder: string
  readonly stickySecret: string
}

/** How often autoscaled groups are told their load, in ms. */
const loadIntervalMs = 1_000

/**
 * Everything that one instance runs, but for its admin API.
 *
 *   drover.yaml ─▶ Loaded ─┬─▶ toGroups ─▶ supervisor ─ events ─▶ wiring ─▶ balancer
 *                          └─▶ toModel ──▶ balancer ─── unfit ──▶ wiring ─▶ supervisor
 *
 * It starts from the outside in (the door first, so that no client finds a closed port while replicas
 * start) and stops the same way (the door first, so that no request loses its replica).
 */
export class System {
  readonly events: EventLog
  readonly balancer: Balancer
  readonly #parts: SystemParts
  readonly #supervisor: Supervisor
  readonly #groups: Groups
  readonly #joined: Joined
  /** Services that left the configuration, while their replicas drain: the door knows them still. */
  readonly #parting = new Map<string, ServiceModel>()
  #loaded: Loaded
  #manage: ManageServer | undefined
  #stopTellingLoad: Cancel = () => {}
  #doorClosed = false
  /** Changes of the door's model come one after the other. */
  #lastChange: Promise<unknown> = Promise.resolve()

  constructor(loaded: Loaded, parts: SystemParts) {
    const { clock, random, log, events, engine, dataFolder } = parts
    this.#parts = parts
    this.#loaded = loaded
    this.events = events
    this.balancer = createBalancer({ engine, clock, random, log: log.child({ part: 'balancer' }) })
    this.#supervisor = createSupervisor({
      clock,
      random,
      log: log.child({ part: 'supervisor' }),
      dataFolder,
      traffic: trafficOf(this.balancer, () => this.#doorClosed),
    })
    this.#groups = new Groups({
      supervisor: this.#supervisor,
      onEvent: (event) => this.#hear(event),
      expect: (service, replicas) => this.balancer.expectReplicas(service, replicas),
    })
    this.#joined = {
      balancer: this.balancer,
      events,
      log,
      groups: this.groups,
      weightOf: (service, replica) => this.config.services[service]?.weights[replica] ?? 1,
    }
  }

  /** The groups that run, by service. */
  get groups(): ReadonlyMap<string, Group> {
    return this.#groups.running
  }

  /** What is in effect, every default filled in. */
  get config(): Config {
    return withDerived(this.#loaded.config)
  }

  /** The file that the configuration came from; undefined when it came from the command line. */
  get file(): string | undefined {
    return this.#loaded.file
  }

  /**
   * Starts every loop of the system; these run until `stop`:
   *
   *   the door's listeners and its engine, health checks, certificate watching   balancer.start
   *   one group for each service with replicas of its own                        groups.ts
   *   the classroom API for the door, if it is mounted there                     manage/server.ts
   *   telling autoscaled groups their load                                       wiring.ts
   */
  async start(): Promise<void> {
    this.balancer.on((event) => hearBalancer(event, this.#joined))
    await this.#supervisor.start()
    await this.#openManage(this.#loaded)
    await this.balancer.start(this.#model(this.#loaded))
    await Promise.all(toGroups(this.#loaded).map((spec) => this.#groups.open(spec)))
    this.#stopTellingLoad = this.#parts.clock.every(loadIntervalMs, () => this.#tellLoad())
  }

  /** Resolves when the engine sends requests to every replica that runs, or after `mostMs`. */
  async whenServed(mostMs: number): Promise<void> {
    const signal = AbortSignal.timeout(mostMs)
    const replicas = [...this.groups.values()].flatMap((group) => group.replicas())
    await Promise.allSettled(replicas.map(({ id }) => this.balancer.whenReady(id, signal)))
  }

  /**
   * Moves to another configuration without dropping a connection. Whatever is wrong with it is
   * found before anything changes: then the old one stays and the fault says why. Resolves when the
   * door has moved; replicas that must run something else are then replaced one by one.
   */
  reload(next: Loaded): Promise<void> {
    return this.#inTurn(() => this.#reload(next))
  }

  /** Closes the door, letting requests end within `graceMs`, and then stops every replica. */
  async stop(graceMs: number): Promise<void> {
    this.#stopTellingLoad()
    try {
      await this.balancer.stop(graceMs)
    } finally {
      this.#doorClosed = true
      await Promise.all([this.#supervisor.stop(), this.#manage?.stop()])
    }
  }

  async #reload(next: Loaded): Promise<void> {
    refuseFixedChanges(this.#loaded.config, next.config)
    const before = this.#loaded
    const specs = toGroups(next)
    const names = new Set(specs.map(({ name }) => name))
    const parting = [...this.groups.keys()].filter((name) => !names.has(name))
    await this.#openManage(next)
    const kept = this.#model(before).services.filter(({ name }) => parting.includes(name))
    await this.balancer.apply(withServices(this.#model(next), kept))
    this.#loaded = next
    for (const service of kept) this.#parting.set(service.name, service)
    this.#restoreWeights()
    const message = 'configuration: the new one is in effect'
    this.events.record({ level: 'notice', kind: 'drover.config.loaded', message })
    const asked = new Map(toGroups(before).map((spec) => [spec.name, spec.replicas]))
    for (const name of parting) this.#watch(this.#part(name))
    for (const spec of specs) this.#watch(this.#groups.follow(spec, asked.get(spec.name)))
  }

  /** Ends a group whose service has left; when none of it is left, the door forgets the service. */
  async #part(name: string): Promise<void> {
    await this.#groups.end(name)
    this.#parting.delete(name)
    await this.#inTurn(() => this.balancer.apply(this.#model(this.#loaded)))
  }

  /** Weights are the configuration's again, also those of replicas that run already. */
  #restoreWeights(): void {
    for (const group of this.groups.values())
      for (const replica of group.replicas()) this.#restoreWeight(replica)
  }

  #restoreWeight({ id, group, name }: ReplicaInfo): void {
    try {
      this.balancer.setWeight(id, this.#joined.weightOf(group, name))
    } catch (error) {
      // One that is not there yet, or not any more, gets its weight when it comes, or needs none.
      if (!(error instanceof Fault) || error.code !== 'UNKNOWN_REPLICA') throw error
    }
  }

  #inTurn(change: () => Promise<void>): Promise<void> {
    const turn = this.#lastChange.then(change)
    this.#lastChange = turn.catch(() => {})
    return turn
  }

  /** What the door refuses to hear must not stop the supervisor from going on. */
  #hear(event: GroupEvent): void {
    try {
      hearGroup(event, this.#joined)
    } catch (error) {
      this.#report('wiring', error)
    }
  }

  async #openManage({ config }: Loaded): Promise<void> {
    if (!config.manage || this.#manage) return
    const managed = () => managedGroup(groupOf(this, managedService(this.config) ?? ''))
    this.#manage = await startManageServer(managed, this.#parts.log)
  }

  /** What the door is to be: by the configuration, and with the services that are parting. */
  #model(loaded: Loaded): Model {
    const { stickySecret } = this.#parts
    const manageAddress = loaded.config.manage ? this.#manage?.address : undefined
    return withServices(toModel(loaded, { stickySecret, manageAddress }), this.#parting.values())
  }

  #tellLoad(): void {
    const autoscaled = Object.values(this.#loaded.config.services).some(
      ({ autoscale }) => autoscale,
    )
    if (autoscaled) tellLoad(this.#joined).catch((error) => this.#report('load', error))
  }

  /** Reports what goes wrong with something that nobody waits for. */
  #watch(work: Promise<void>): void {
    work.catch((error) => this.#report('reload', error))
  }

  #report(what: string, error: unknown): void {
    const message = `${what}: ${describeError(error)}`
    this.events.record({ level: 'warning', kind: `drover.${what}.failed`, message })
  }
}

/** Returns the model with those of `services` that it lacks. */
function withServices(model: Model, services: Iterable<ServiceModel>): Model {
  const known = new Set(model.services.map(({ name }) => name))
  const extra = [...services].filter(({ name }) => !known.has(name))
  return { ...model, services: [...model.services, ...extra] }
}
