import type { Cancel, Clock, Random } from '@drover/kernel'
import type { CheckModel } from './model.ts'
import type { Probe } from './probe.ts'
import type { ReplicaHealth, ReplicaState } from './replica-health.ts'

/** What a loop of checks needs. */
export interface HealthCheckParts {
  readonly target: { readonly host: string; readonly port: number }
  readonly health: ReplicaHealth
  readonly probe: Probe
  readonly clock: Clock
  readonly random: Random
}

/** Each wait of a new replica is this many times the last one. */
const growth = 1.2

/**
 * Checks one replica again and again, one check at a time, at the pace that its state asks for:
 * quickly while it comes in, a little more often while it is suspect, else every `intervalMs`.
 */
export class HealthCheck {
  readonly #parts: HealthCheckParts
  readonly #stopped = new AbortController()
  #check: CheckModel
  #underWay = false
  #cancel: Cancel | undefined
  /** The last wait of a replica that comes in, in ms; undefined when it is not coming in. */
  #comingMs: number | undefined

  constructor(check: CheckModel, parts: HealthCheckParts) {
    this.#check = check
    this.#parts = parts
  }

  /** Checks at once, and from then on; does nothing while a check is under way. */
  now(): void {
    if (this.#underWay || this.#stopped.signal.aborted) return
    this.#cancel?.()
    this.#underWay = true
    void this.#run()
  }

  /** Checks by `check` from now on. */
  follow(check: CheckModel): void {
    this.#check = check
    this.#comingMs = undefined
    this.now()
  }

  stop(): void {
    this.#cancel?.()
    this.#stopped.abort()
  }

  async #run(): Promise<void> {
    const { target, probe, health } = this.#parts
    const check = this.#check
    const result = await probe(target, check, this.#stopped.signal)
    this.#underWay = false
    if (this.#stopped.signal.aborted) return
    if (result.kind === 'passed') health.checkPassed(`${Math.round(result.tookMs)} ms`)
    else health.checkFailed(result)
    if (this.#stopped.signal.aborted) return
    this.#cancel?.()
    this.#cancel = this.#parts.clock.after(this.#waitMs(health.state), () => this.now())
  }

  /** Up to 10 % more or less, so that checks of many replicas do not march in step. */
  #waitMs(state: ReplicaState): number {
    return this.#paceMs(state) * (0.9 + 0.2 * this.#parts.random.next())
  }

  #paceMs(state: ReplicaState): number {
    const { intervalMs, startIntervalMs } = this.#check
    if (state === 'starting' || state === 'checking') {
      this.#comingMs =
        this.#comingMs === undefined
          ? startIntervalMs
          : Math.min(intervalMs, this.#comingMs * growth)
      return this.#comingMs
    }
    this.#comingMs = undefined
    if (state === 'suspect') return Math.max(startIntervalMs, intervalMs / 4)
    if (state === 'ejected')
      return Math.min(intervalMs, Math.max(startIntervalMs, this.#parts.health.ejectedForMs))
    return intervalMs
  }
}
