import { isDeepStrictEqual } from 'node:util'
import type { Clock, Random } from '@drover/kernel'
import { LineFile } from '../line-file.ts'
import type {
  EngineEvent,
  EngineStats,
  ListenerPlan,
  Plan,
  RefusedRequest,
  TracesPlan,
} from '../plan.ts'
import { checkPolicyOptions } from '../policies/table.ts'
import { Deadlines, tickMs } from './deadlines.ts'
import { DoorListener, type ListenerShared } from './listener.ts'
import { RefusedLog } from './refused-log.ts'
import { type DoorContext, Service } from './service.ts'
import { checkCertificates } from './tls-front.ts'
import { TraceExport } from './trace-export.ts'

/** What a door is made with. */
export interface DoorOptions {
  readonly clock: Clock
  readonly random: Random
  readonly emit: (event: EngineEvent) => void
  /** Several processes listen on the same addresses. */
  readonly reusePort: boolean
}

/**
 * The data plane of one process: listeners on one side, services with their replicas on the other,
 * moved from plan to plan while connections go on.
 */
export class Door {
  readonly #context: DoorContext
  readonly #shared: ListenerShared
  readonly #listeners = new Map<string, DoorListener>()
  /** Listeners of earlier plans whose connections are still open. */
  readonly #leaving = new Set<DoorListener>()
  readonly #services = new Map<string, Service>()
  readonly #stopTicking: () => void

  constructor(options: DoorOptions) {
    const { clock, random, emit, reusePort } = options
    const deadlines = new Deadlines(clock.monotonic())
    this.#context = { clock, random, deadlines, emit }
    this.#shared = {
      context: this.#context,
      services: this.#services,
      refused: new RefusedLog(clock),
      accessLog: undefined,
      traces: undefined,
      reusePort,
    }
    this.#stopTicking = clock.every(tickMs, () => this.#tick())
  }

  /**
   * Moves to `plan`. Throws PLAN_REFUSED before anything was changed when an address cannot be
   * listened on or a setting is wrong.
   */
  async apply(plan: Plan): Promise<void> {
    checkPlan(plan)
    const services = this.#prepareServices(plan)
    const accessLog = this.#openAccessLog(plan.accessLogFile)
    const opened = await this.#openListeners(plan)
    for (const [name, service] of this.#services) if (!services.has(name)) service.retire()
    this.#services.clear()
    for (const [name, service] of services) this.#services.set(name, service)
    for (const service of plan.services) this.#services.get(service.name)?.apply(service)
    this.#useListeners(plan, opened)
    this.#useAccessLog(plan.accessLogFile, accessLog)
    this.#useTraces(plan.traces)
  }

  ports(): Record<string, number> {
    return Object.fromEntries([...this.#listeners].map(([name, { port }]) => [name, port]))
  }

  stats(): EngineStats {
    return {
      listeners: [...this.#listeners.values()].map((listener) => listener.stats()),
      services: [...this.#services.values()].map((service) => service.stats()),
    }
  }

  refused(): readonly RefusedRequest[] {
    return this.#shared.refused.list()
  }

  /** Takes nothing new, waits up to `graceMs` for what is under way, then closes everything. */
  async stop(graceMs: number): Promise<void> {
    const listeners = [...this.#listeners.values(), ...this.#leaving]
    for (const listener of listeners) listener.retire()
    const { clock } = this.#context
    const endsAtMs = clock.monotonic() + graceMs
    while (listeners.some((listener) => listener.connectionsOpen > 0)) {
      if (clock.monotonic() >= endsAtMs) break
      await clock.sleep(Math.min(20, graceMs))
    }
    for (const listener of listeners) listener.destroy()
    for (const service of this.#services.values()) service.destroy()
    this.#stopTicking()
    await this.#shared.accessLog?.close()
    this.#shared.accessLog = undefined
    await this.#shared.traces?.close()
    this.#shared.traces = undefined
  }

  /** Services of the plan, new ones made and known ones kept as they are. */
  #prepareServices(plan: Plan): Map<string, Service> {
    return new Map(
      plan.services.map((service) => [
        service.name,
        this.#services.get(service.name) ?? new Service(service, this.#context),
      ]),
    )
  }

  /** Opens the addresses that are not open yet; when one fails those opened here are closed again. */
  async #openListeners(plan: Plan): Promise<Map<string, DoorListener>> {
    const opened = new Map<string, DoorListener>()
    try {
      for (const listenerPlan of plan.listeners) {
        if (this.#keeps(listenerPlan)) continue
        const listener = new DoorListener(listenerPlan, plan.trustedProxies, this.#shared)
        opened.set(listenerPlan.name, listener)
        await listener.listen()
      }
    } catch (error) {
      for (const listener of opened.values()) listener.destroy()
      throw error
    }
    return opened
  }

  /** Holds when the address of `plan` is open already; port 0 may have become any port. */
  #keeps(plan: ListenerPlan): boolean {
    const open = this.#listeners.get(plan.name)
    if (!open) return false
    const samePort = open.plan.port === plan.port || open.port === plan.port
    return samePort && open.plan.host === plan.host && open.plan.protocol === plan.protocol
  }

  #useListeners(plan: Plan, opened: ReadonlyMap<string, DoorListener>): void {
    for (const [name, listener] of [...this.#listeners]) {
      const stays = plan.listeners.some((next) => next.name === name) && !opened.has(name)
      if (stays) continue
      this.#listeners.delete(name)
      this.#leaving.add(listener)
      listener.retire()
    }
    for (const listenerPlan of plan.listeners)
      this.#listeners.get(listenerPlan.name)?.apply(listenerPlan, plan.trustedProxies)
    for (const [name, listener] of opened) this.#listeners.set(name, listener)
  }

  /** Opens the log when it is another than before. */
  #openAccessLog(file: string | undefined): LineFile | undefined {
    if (file === undefined || file === this.#shared.accessLog?.file) return undefined
    return new LineFile(file, this.#context.clock)
  }

  #useAccessLog(file: string | undefined, opened: LineFile | undefined): void {
    if (file === this.#shared.accessLog?.file) return
    void this.#shared.accessLog?.close()
    this.#shared.accessLog = opened
  }

  #useTraces(plan: TracesPlan | undefined): void {
    if (isDeepStrictEqual(plan, this.#shared.traces?.plan)) return
    void this.#shared.traces?.close()
    this.#shared.traces = plan && new TraceExport(plan, this.#context)
  }

  #tick(): void {
    const nowMs = this.#context.clock.monotonic()
    this.#context.deadlines.tick(nowMs)
    for (const service of this.#services.values()) service.tick(nowMs)
    for (const listener of this.#leaving)
      if (listener.connectionsOpen === 0) this.#leaving.delete(listener)
  }
}

/** Refuses what would fail half-way, so that a bad plan changes nothing. */
function checkPlan(plan: Plan): void {
  for (const service of plan.services) checkPolicyOptions(service.policy)
  for (const { name, tls } of plan.listeners) if (tls) checkCertificates(name, tls)
}
