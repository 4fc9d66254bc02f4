import { type Clock, describeError, type Random } from '@drover/kernel'
import { realPorts } from '../../engines/ports.ts'
import { Respawn } from '../../engines/respawn.ts'
import { fault } from '../../errors.ts'
import { Listeners } from '../../listeners.ts'
import type {
  Engine,
  EngineEvent,
  EngineStats,
  Plan,
  RefusedRequest,
  ServicePlan,
} from '../../plan.ts'
import { mergeStats } from './merge-stats.ts'
import { WorkerProcess } from './worker-process.ts'

/**
 * The builtin data plane in several processes that listen on the same addresses (SO_REUSEPORT): the
 * system spreads connections over them. Limits that count requests are divided between them; a
 * worker that dies is replaced, and costs only the connections that it had.
 */
export class WorkerEngine implements Engine {
  readonly name = 'builtin'
  readonly #clock: Clock
  readonly #workers: (WorkerProcess | undefined)[]
  readonly #respawns: readonly Respawn[]
  readonly #listeners = new Listeners<EngineEvent>()
  /** For each draining replica the workers that have nothing under way there any more. */
  readonly #drained = new Map<string, Set<number>>()
  #plan: Plan | undefined
  #ports: Record<string, number> = {}
  #stopping = false

  constructor(count: number, clock: Clock, random: Random) {
    this.#clock = clock
    this.#workers = Array.from({ length: count }, () => undefined)
    this.#respawns = this.#workers.map(
      (_, index) => new Respawn(clock, random, () => this.#replace(index)),
    )
  }

  async start(plan: Plan): Promise<void> {
    for (const index of this.#workers.keys()) this.#spawn(index)
    try {
      await this.apply(plan)
    } catch (error) {
      await this.stop(0)
      throw error
    }
  }

  /**
   * The first worker tries the plan; the others follow when it was not refused. One that dies on the
   * way is no failure: whoever takes its place begins with the new plan.
   */
  async apply(plan: Plan): Promise<void> {
    const own = this.#divide(plan)
    // Workers share their addresses, and would as well with another Drover that has them already.
    const asked = plan.listeners.filter(({ port }) => port !== 0)
    await realPorts({ ...plan, listeners: asked }, this.#ports)
    this.#drained.clear()
    const [first] = this.#alive()
    if (!first) throw fault('ENGINE_FAILED', 'no worker process is there just now')
    const { ports } = await first.ask({ kind: 'apply', plan: this.#withPorts(own) })
    this.#ports = { ...ports }
    this.#plan = own
    const others = this.#alive().filter((worker) => worker !== first)
    const fixed = this.#withPorts(own)
    await Promise.all(others.map((worker) => follow(worker, fixed)))
  }

  ports(): Readonly<Record<string, number>> {
    return this.#ports
  }

  on(listener: (event: EngineEvent) => void): () => void {
    return this.#listeners.add(listener)
  }

  async stats(): Promise<EngineStats> {
    const answers = await this.#askAll({ kind: 'stats' })
    return mergeStats(answers.flatMap(({ stats }) => (stats ? [stats] : [])))
  }

  async refused(): Promise<readonly RefusedRequest[]> {
    const answers = await this.#askAll({ kind: 'refused' })
    return answers
      .flatMap(({ refused }) => refused ?? [])
      .sort((one, other) => other.atMs - one.atMs)
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping = true
    for (const respawn of this.#respawns) respawn.end()
    await this.#askAll({ kind: 'stop', graceMs })
    for (const worker of this.#workers) worker?.kill()
  }

  #alive(): WorkerProcess[] {
    return this.#workers.filter((worker) => worker !== undefined)
  }

  #spawn(index: number): void {
    this.#workers[index] = new WorkerProcess(
      this.#clock,
      (event) => this.#heard(index, event),
      (how) => this.#ended(index, how),
    )
  }

  #heard(index: number, event: EngineEvent): void {
    if (event.kind !== 'drained') {
      this.#emit(event)
      return
    }
    const workers = this.#drained.get(event.replica) ?? new Set()
    workers.add(index)
    this.#drained.set(event.replica, workers)
    this.#tellDrained(event.replica)
  }

  #tellDrained(replica: string): void {
    const done = this.#drained.get(replica)
    const all = this.#workers.every((worker, index) => worker === undefined || done?.has(index))
    if (all) this.#emit({ kind: 'drained', replica })
  }

  #ended(index: number, how: string): void {
    this.#workers[index] = undefined
    if (this.#stopping) return
    this.#emit({ kind: 'trouble', reason: `worker ${index + 1} ended (${how}); it is replaced` })
    for (const replica of this.#drained.keys()) this.#tellDrained(replica)
    this.#respawns[index]?.again()
  }

  async #replace(index: number): Promise<void> {
    if (this.#stopping || !this.#plan) return
    this.#spawn(index)
    try {
      await this.#workers[index]?.ask({ kind: 'apply', plan: this.#withPorts(this.#plan) })
      this.#respawns[index]?.settled()
    } catch (error) {
      this.#emit({ kind: 'trouble', reason: `worker ${index + 1}: ${describeError(error)}` })
      this.#workers[index]?.kill()
    }
  }

  async #askAll(ask: Parameters<WorkerProcess['ask']>[0]) {
    const settled = await Promise.allSettled(this.#alive().map((worker) => worker.ask(ask)))
    return settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  }

  /** A free port is chosen once: the workers that come later listen on the same. */
  #withPorts(plan: Plan): Plan {
    const listeners = plan.listeners.map((listener) => ({
      ...listener,
      port: listener.port || (this.#ports[listener.name] ?? 0),
    }))
    return { ...plan, listeners }
  }

  #divide(plan: Plan): Plan {
    return { ...plan, services: plan.services.map((service) => this.#divideService(service)) }
  }

  #divideService(service: ServicePlan): ServicePlan {
    const count = this.#workers.length
    const share = (limit: number) => Math.ceil(limit / count)
    const { rateLimit, queue } = service
    return {
      ...service,
      inFlightMax: share(service.inFlightMax),
      queue: { ...queue, sizeMax: share(queue.sizeMax) },
      ...(rateLimit && {
        rateLimit: {
          perSecond: rateLimit.perSecond / count,
          burst: Math.max(1, rateLimit.burst / count),
        },
      }),
    }
  }

  #emit(event: EngineEvent): void {
    this.#listeners.tell(event)
  }
}

async function follow(worker: WorkerProcess, plan: Plan): Promise<void> {
  try {
    await worker.ask({ kind: 'apply', plan })
  } catch (error) {
    if (!worker.ended) throw error
  }
}
