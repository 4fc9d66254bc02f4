import type { Cancel, Clock, Log, Random } from '@drover/kernel'
import { type LoadHistory, lookAtLoad } from './autoscale.ts'
import { decide } from './decide.ts'
import { fault } from './errors.ts'
import {
  createHerd,
  type Herd,
  type HerdAction,
  type HerdInput,
  type Member,
  members,
} from './herd.ts'
import type { MakeId } from './names.ts'
import { createOutput, type Output } from './output.ts'
import { Replica } from './replica.ts'
import type { Runtime } from './runtime.ts'
import type { Group, GroupEvent, GroupSpec, LogLine, ReplicaInfo, Traffic } from './spec.ts'

/** What a group is given by its supervisor. */
export interface GroupParts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly traffic: Traffic
  readonly runtimeFor: (spec: GroupSpec) => Runtime
  /** Resolves when replicas may be started: leftovers are gone, the watcher runs. */
  readonly ready: () => Promise<void>
  readonly onEvent: (event: GroupEvent) => void
  /** The group was stopped, and nothing of it is left: another may have its name. */
  readonly onStopped: () => void
  readonly makeId: MakeId
}

/** An event on its way out, and what waits until it is known. */
interface Letter {
  readonly event: GroupEvent
  readonly then?: () => void
}

/**
 * One group of replicas: does what `decide` says, and tells it what came of it.
 *
 *   calls ──▶ decide ──▶ actions ──▶ replica.ts: runtime, traffic, timers ──▶ events to the outside
 *               ▲                        │
 *               └── spawned, ready, late, drained, died
 */
export class ReplicaGroup implements Group {
  readonly #parts: GroupParts
  readonly #herd: Herd
  readonly #output: Output
  readonly #replicas = new Map<string, Replica>()
  readonly #refills = new Map<number, Cancel>()
  readonly #outbox: Letter[] = []
  readonly #empty = Promise.withResolvers<void>()
  #telling = false
  #load: LoadHistory | undefined
  #rollWaiters: PromiseWithResolvers<void>[] = []

  constructor(spec: GroupSpec, parts: GroupParts) {
    this.#parts = parts
    this.#herd = createHerd(spec, parts.random, parts.makeId)
    this.#output = createOutput(
      parts.clock,
      () => this.#herd.spec.logBytesMax,
      (id, line) => {
        if (line.stream === 'stdout' && line.text === 'READY=1') this.#saidReady(id)
      },
    )
  }

  get spec(): GroupSpec {
    const { spec, phase, places } = this.#herd
    return phase === 'open' ? { ...spec, replicas: places.length } : spec
  }

  replicas(): readonly ReplicaInfo[] {
    return this.#infos(members(this.#herd))
  }

  async start(): Promise<void> {
    await this.#parts.ready()
    await allSpawned(this.#run({ kind: 'start' }))
  }

  async stop(): Promise<void> {
    this.#dispatch({ kind: 'stop' })
    for (const cancel of this.#refills.values()) cancel()
    await this.#empty.promise
    await this.#parts.runtimeFor(this.#herd.spec).settle()
    this.#parts.onStopped()
  }

  async scale(count: number, reason: string): Promise<void> {
    await allSpawned(this.#run({ kind: 'scale', count, reason }))
  }

  async add(count: number, names: readonly string[]): Promise<readonly ReplicaInfo[]> {
    const before = new Set(members(this.#herd))
    const spawned = this.#run({ kind: 'add', count, names })
    const added = members(this.#herd).filter((member) => !before.has(member))
    await allSpawned(spawned)
    return this.#infos(added)
  }

  async remove(count: number, names: readonly string[]): Promise<readonly ReplicaInfo[]> {
    const before = new Set(this.#herd.leaving)
    this.#dispatch({ kind: 'remove', count, names })
    return this.#infos(this.#herd.leaving.filter((member) => !before.has(member)))
  }

  async rollingRestart(reason: string): Promise<void> {
    await this.#rolledBy({ kind: 'roll', reason })
  }

  async apply(spec: GroupSpec): Promise<void> {
    await this.#rolledBy({ kind: 'apply', spec })
  }

  async replace(replicaId: string, reason: string): Promise<void> {
    await allSpawned(this.#run({ kind: 'replace', id: replicaId, reason }))
  }

  observeLoad(inFlight: number): void {
    if (!(inFlight >= 0)) throw new RangeError(`${inFlight} is not a number of requests`)
    const { spec, places, phase } = this.#herd
    if (!spec.autoscale || phase !== 'open') return
    const nowMs = this.#parts.clock.monotonic()
    const load = { nowMs, inFlight, replicas: places.length }
    const { history, change } = lookAtLoad(this.#load, load, spec.autoscale)
    this.#load = history
    if (change) this.#dispatch({ kind: 'scale', ...change })
  }

  logs(replicaName?: string): readonly LogLine[] {
    return this.#output.lines(replicaName)
  }

  follow(listener: (line: LogLine) => void): () => void {
    return this.#output.follow(listener)
  }

  #dispatch(input: HerdInput): void {
    void this.#run(input)
  }

  /** Feeds the logic, does what it says, then tells the outside. Returns the starts that this made. */
  #run(input: HerdInput): Promise<unknown>[] {
    const { clock, random } = this.#parts
    const actions = decide(this.#herd, input, { nowMs: clock.monotonic(), random })
    const spawning = actions.flatMap((action) => this.#perform(action) ?? [])
    this.#tell()
    return spawning
  }

  /** Puts an event into the outbox; `then` runs when the outside has heard of it. */
  #send(event: GroupEvent, then?: () => void): void {
    this.#outbox.push(then ? { event, then } : { event })
  }

  /** Events go out one after the other, even when a listener makes a call that brings new ones. */
  #tell(): void {
    if (this.#telling) return
    this.#telling = true
    try {
      for (let letter = this.#outbox.shift(); letter; letter = this.#outbox.shift()) {
        this.#parts.onEvent(letter.event)
        letter.then?.()
      }
    } finally {
      this.#telling = false
    }
  }

  #perform(action: HerdAction): Promise<unknown> | undefined {
    const group = this.#herd.spec.name
    switch (action.kind) {
      case 'spawn':
        return this.#open(action.member).spawn()
      case 'tell-spawned':
        this.#send({ kind: 'spawned', replica: this.#info(action.member) }, () =>
          this.#replicas.get(action.member.id)?.awaitReady(),
        )
        return
      case 'drain': {
        const { member, reason, wait } = action
        this.#send({ kind: 'draining', replica: this.#info(member), reason }, () => {
          if (wait) this.#replicas.get(member.id)?.awaitDrained()
        })
        return
      }
      case 'end':
        this.#replicas.get(action.member.id)?.end()
        return
      case 'tell-gone': {
        const { member, expected, reason } = action
        const replica: ReplicaInfo = { ...this.#info(member), state: 'gone' }
        this.#send({ kind: 'gone', replica, expected, reason })
        return
      }
      case 'forget':
        this.#replicas.delete(action.member.id)
        return
      case 'wait': {
        const { place, waitMs, restarts, reason } = action
        this.#awaitRefill(place, waitMs)
        this.#send({ kind: 'crash-loop', group, waitMs, restarts, reason })
        return
      }
      case 'tell-scaled': {
        const replicas = this.#herd.places.length
        this.#send({ kind: 'scaled', group, replicas, reason: action.reason })
        return
      }
      case 'roll-ended':
        this.#endRoll(action.failure)
        return
      case 'empty':
        this.#empty.resolve()
        return
    }
  }

  #open(member: Member): Replica {
    const { clock, log, traffic, runtimeFor } = this.#parts
    const replica = new Replica(member, {
      clock,
      log,
      traffic,
      runtime: runtimeFor(this.#herd.spec),
      output: this.#output.open(member.id, member.name),
      spec: () => this.#herd.spec,
      tell: (input) => this.#dispatch(input),
      saidReady: () => this.#saidReady(member.id),
    })
    this.#replicas.set(member.id, replica)
    return replica
  }

  #awaitRefill(place: number, waitMs: number): void {
    const cancel = this.#parts.clock.after(waitMs, () => {
      this.#refills.delete(place)
      this.#dispatch({ kind: 'wait-over', place })
    })
    this.#refills.set(place, cancel)
  }

  #saidReady(id: string): void {
    const replica = this.#replicas.get(id)
    if (!replica?.member.told) return
    this.#send({ kind: 'said-ready', replica: replica.info() })
    this.#tell()
  }

  /** Resolves when the roll that `input` starts (or adds to) is over; throws ROLL_STOPPED. */
  async #rolledBy(input: HerdInput): Promise<void> {
    const waiter = Promise.withResolvers<void>()
    this.#rollWaiters.push(waiter)
    try {
      this.#dispatch(input)
    } catch (error) {
      this.#rollWaiters = this.#rollWaiters.filter((other) => other !== waiter)
      throw error
    }
    if (!this.#herd.roll) waiter.resolve()
    await waiter.promise
  }

  #endRoll(failure: string | undefined): void {
    const waiters = this.#rollWaiters
    this.#rollWaiters = []
    const group = this.#herd.spec.name
    if (failure !== undefined) this.#send({ kind: 'roll-stopped', group, reason: failure })
    for (const waiter of waiters)
      if (failure === undefined) waiter.resolve()
      else
        waiter.reject(
          fault('ROLL_STOPPED', `the rolling restart of "${group}" stopped: ${failure}`),
        )
  }

  #info(member: Member): ReplicaInfo {
    const replica = this.#replicas.get(member.id)
    if (!replica) throw new TypeError(`${member.id} is not known to its group`)
    return replica.info()
  }

  #infos(of: readonly Member[]): ReplicaInfo[] {
    return of.flatMap((member) => this.#replicas.get(member.id)?.info() ?? [])
  }
}

/** Throws the first reason why one of the replicas did not start. */
async function allSpawned(spawning: readonly Promise<unknown>[]): Promise<void> {
  const failure = (await Promise.all(spawning)).find((error) => error !== undefined)
  if (failure !== undefined) throw failure
}
