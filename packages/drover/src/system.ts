import { type Balancer, createBalancer, type Engine } from '@drover/balancer'
import { type Cancel, type Clock, describeError, type Log, type Random } from '@drover/kernel'
import {
  createSupervisor,
  type Group,
  type GroupEvent,
  type GroupSpec,
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
  readonly groups = new Map<string, Group>()
  readonly #parts: SystemParts
  readonly #supervisor: Supervisor
  readonly #joined: Joined
  #loaded: Loaded
  #manage: ManageServer | undefined
  #stopTellingLoad: Cancel = () => {}
  #doorClosed = false
  /** Reloads come one after the other. */
  #lastReload: Promise<unknown> = Promise.resolve()

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
    this.#joined = {
      balancer: this.balancer,
      events,
      log,
      groups: this.groups,
      weightOf: (service, replica) => this.config.services[service]?.weights[replica] ?? 1,
    }
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
   *   one group for each service with replicas of its own                        supervisor, openGroup
   *   the classroom API for the door, if it is mounted there                     manage/server.ts
   *   telling autoscaled groups their load                                       wiring.ts
   */
  async start(): Promise<void> {
    this.balancer.on((event) => hearBalancer(event, this.#joined))
    await this.#supervisor.start()
    await this.#openManage(this.#loaded)
    await this.balancer.start(this.#model(this.#loaded))
    await Promise.all(toGroups(this.#loaded).map((spec) => this.#openGroup(spec)))
    this.#stopTellingLoad = this.#parts.clock.every(loadIntervalMs, () => this.#tellLoad())
  }

  /**
   * Moves to another configuration without dropping a connection. Whatever is wrong with it is
   * found before anything changes: then the old one stays and the fault says why. Resolves when the
   * door has moved; replicas that must run something else are then replaced one by one.
   */
  reload(next: Loaded): Promise<void> {
    const reload = this.#lastReload.then(() => this.#reload(next))
    this.#lastReload = reload.catch(() => {})
    return reload
  }

  /** Closes the door, letting requests end within `graceMs`, and then stops every replica. */
  async stop(graceMs: number): Promise<void> {
    this.#stopTellingLoad()
    await this.balancer.stop(graceMs)
    this.#doorClosed = true
    await this.#supervisor.stop()
    await this.#manage?.stop()
  }

  async #reload(next: Loaded): Promise<void> {
    refuseFixedChanges(this.#loaded.config, next.config)
    const before = this.#loaded
    const specs = toGroups(next)
    const leaving = [...this.groups.keys()].filter(
      (name) => !specs.some((spec) => spec.name === name),
    )
    await this.#openManage(next)
    // Services that leave stay known to the door, without routes, until their replicas have drained.
    const model = this.#model(next)
    const old = this.#model(before).services.filter(({ name }) => leaving.includes(name))
    const known = new Set(model.services.map(({ name }) => name))
    const extra = old.filter(({ name }) => !known.has(name))
    await this.balancer.apply({ ...model, services: [...model.services, ...extra] })
    this.#loaded = next
    this.#restoreWeights()
    this.events.record({
      level: 'notice',
      kind: 'drover.config.loaded',
      message: 'configuration: the new one is in effect',
    })
    void this.#moveGroups(before, specs, leaving).then(async () => {
      if (extra.length > 0 && this.#loaded === next) await this.balancer.apply(model)
    })
  }

  /** Weights are the configuration's again, also those of replicas that run already. */
  #restoreWeights(): void {
    for (const group of this.groups.values())
      for (const { id, group: service, name, state } of group.replicas())
        if (state === 'running') this.balancer.setWeight(id, this.#joined.weightOf(service, name))
  }

  async #moveGroups(
    before: Loaded,
    specs: readonly GroupSpec[],
    leaving: readonly string[],
  ): Promise<void> {
    const asked = new Map(toGroups(before).map((spec) => [spec.name, spec.replicas]))
    const moves = specs.map(async (spec) => {
      const group = this.groups.get(spec.name)
      if (!group) return this.#openGroup(spec)
      // What /add, `drover scale` or autoscaling did stays, unless the file asks for another number.
      const unchanged = asked.get(spec.name) === spec.replicas
      return group.apply(unchanged ? { ...spec, replicas: group.spec.replicas } : spec)
    })
    const ends = leaving.map(async (name) => {
      const group = this.groups.get(name)
      this.groups.delete(name)
      await group?.stop()
    })
    for (const result of await Promise.allSettled([...moves, ...ends]))
      if (result.status === 'rejected') this.#report('reload', result.reason)
  }

  async #openGroup(spec: GroupSpec): Promise<void> {
    const group = this.#supervisor.openGroup(spec, (event) => this.#hear(event))
    this.groups.set(spec.name, group)
    this.balancer.expectReplicas(spec.name, spec.replicas)
    await group.start()
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

  #model(loaded: Loaded) {
    const { stickySecret } = this.#parts
    const manageAddress = loaded.config.manage ? this.#manage?.address : undefined
    return toModel(loaded, { stickySecret, manageAddress })
  }

  #tellLoad(): void {
    const autoscaled = Object.values(this.#loaded.config.services).some(
      ({ autoscale }) => autoscale,
    )
    if (autoscaled) tellLoad(this.#joined).catch((error) => this.#report('load', error))
  }

  #report(what: string, error: unknown): void {
    const message = `${what}: ${describeError(error)}`
    this.events.record({ level: 'warning', kind: `drover.${what}.failed`, message })
  }
}
