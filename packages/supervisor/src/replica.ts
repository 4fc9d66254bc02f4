import { type Cancel, type Clock, describeError, type Log } from '@drover/kernel'
import type { HerdInput, Member } from './herd.ts'
import { serverId } from './names.ts'
import type { ReplicaOutput } from './output.ts'
import type { Instance, Runtime } from './runtime.ts'
import type { GroupSpec, ReplicaInfo, Traffic } from './spec.ts'

/** What a replica is given by its group. */
export interface ReplicaParts {
  readonly clock: Clock
  readonly log: Log
  readonly traffic: Traffic
  readonly runtime: Runtime
  readonly output: ReplicaOutput
  /** The spec of the moment: a changed timeout holds for replicas that run already. */
  readonly spec: () => GroupSpec
  readonly tell: (input: HerdInput) => void
  readonly saidReady: () => void
}

/** One replica from its start to its end: the waits, timers and signals that `decide` asks for. */
export class Replica {
  readonly member: Member
  readonly #parts: ReplicaParts
  readonly #spawnedWith: GroupSpec
  readonly #startedAtMs: number
  #instance: Instance | undefined
  #waiting = new AbortController()
  #timers: Cancel[] = []

  constructor(member: Member, parts: ReplicaParts) {
    this.member = member
    this.#parts = parts
    this.#spawnedWith = parts.spec()
    this.#startedAtMs = parts.clock.now()
  }

  info(): ReplicaInfo {
    const { id, name, phase, restarts } = this.member
    return {
      id,
      group: this.#spawnedWith.name,
      name,
      host: this.#instance?.host ?? '',
      port: this.#instance?.port ?? 0,
      state: phase === 'spawning' ? 'starting' : phase,
      pid: this.#instance?.pid,
      container: this.#instance?.container,
      startedAtMs: this.#startedAtMs,
      restarts,
    }
  }

  /** Starts it, and tells how that and its whole life ended. Returns why it did not start. */
  async spawn(): Promise<unknown> {
    const { runtime, output, tell, saidReady, log } = this.#parts
    const { id, name } = this.member
    const spec = this.#spawnedWith
    try {
      this.#instance = await runtime.spawn({
        id,
        name,
        serverId: serverId(name, spec.namePrefix),
        spec,
        output: (stream, chunk) => output.write(stream, chunk),
        onReady: saidReady,
      })
    } catch (error) {
      const reason = describeError(error)
      log.warn({ replica: id, reason }, 'a replica could not be started')
      this.#close()
      tell({ kind: 'died', id, reason, portTaken: false })
      return error
    }
    void this.#instance.ended.then((ending) => {
      this.#close()
      tell({ kind: 'died', id, ...ending })
    })
    tell({ kind: 'spawned', id })
    return undefined
  }

  /** Tells `ready` when the front door sends it requests, or `late`. */
  awaitReady(): void {
    const { clock, traffic, tell } = this.#parts
    const { id, phase } = this.member
    // Whoever heard that it was spawned may have sent it away at once.
    if (phase !== 'starting') return
    const signal = this.#newWait()
    this.#timers.push(
      clock.after(this.#parts.spec().startTimeoutMs, () => tell({ kind: 'late', id })),
    )
    void traffic.whenReady(id, signal).then(
      () => {
        if (signal.aborted) return
        this.#newWait()
        tell({ kind: 'ready', id })
      },
      (error: unknown) => this.#trouble('whenReady', error, signal),
    )
  }

  /** Tells `drained` when nothing is under way at it, or when it had long enough. */
  awaitDrained(): void {
    const { clock, traffic, tell } = this.#parts
    const { id, phase } = this.member
    if (phase !== 'draining') return
    const signal = this.#newWait()
    const drained = () => {
      if (this.#waiting.signal !== signal) return
      this.#newWait()
      tell({ kind: 'drained', id })
    }
    this.#timers.push(clock.after(this.#parts.spec().drainTimeoutMs, drained))
    void traffic.whenDrained(id, signal).then(drained, (error: unknown) => {
      this.#trouble('whenDrained', error, signal)
      drained()
    })
  }

  /** Sends the stop signal, and SIGKILL if it has not ended in time. */
  end(): void {
    const { clock } = this.#parts
    const { stopSignal, stopTimeoutMs } = this.#parts.spec()
    this.#newWait()
    this.#instance?.signal(stopSignal)
    this.#timers.push(clock.after(stopTimeoutMs, () => this.#instance?.kill()))
  }

  /** Ends the wait before, with its timer, and begins another. */
  #newWait(): AbortSignal {
    for (const cancel of this.#timers) cancel()
    this.#timers = []
    this.#waiting.abort(new DOMException('the wait is over', 'AbortError'))
    this.#waiting = new AbortController()
    return this.#waiting.signal
  }

  #close(): void {
    this.#newWait()
    this.#parts.output.end()
  }

  #trouble(wait: string, error: unknown, signal: AbortSignal): void {
    if (signal.aborted) return
    this.#parts.log.error(
      { replica: this.member.id, cause: describeError(error) },
      `${wait} failed`,
    )
  }
}
