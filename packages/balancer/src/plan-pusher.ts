import { backoffMs, type Cancel, type Clock, describeError, type Random } from '@drover/kernel'
import type { Engine, Plan } from './plan.ts'

/** What a pusher is made of, and whom it tells. */
export interface PlanPusherParts {
  readonly engine: Engine
  readonly clock: Clock
  readonly random: Random
  /** Returns the plan as it should be now. */
  plan(): Plan
  onApplied(plan: Plan): void
  onTrouble(reason: string): void
}

/** Waits after a plan that the engine did not take. */
const retryWaits = { firstMs: 500, mostMs: 30_000 }

/**
 * Brings plans to the engine: one at a time, always the newest, none that says nothing new. What
 * changes while one is under way goes together with the next. A plan that the engine did not take
 * is tried again, as it is by then.
 */
export class PlanPusher {
  readonly #parts: PlanPusherParts
  /** The end of whatever is under way at the engine; never rejects. */
  #last: Promise<unknown> = Promise.resolve()
  #asked = false
  #stopped = false
  #applied = ''
  #failures = 0
  #cancelRetry: Cancel | undefined

  constructor(parts: PlanPusherParts) {
    this.#parts = parts
  }

  /** Brings the newest plan as soon as the engine is free; many calls make one plan. */
  push(): void {
    if (this.#asked || this.#stopped) return
    this.#asked = true
    this.#cancelRetry?.()
    void this.#next(() => this.#bring())
  }

  /**
   * Brings the plan that `build` returns once the engine is free, by `how`. Throws what either
   * throws, and tries nothing again.
   */
  async bring(build: () => Plan, how: (plan: Plan) => Promise<void>): Promise<void> {
    await this.#next(async () => {
      const plan = build()
      await how(plan)
      this.#note(plan)
    })
  }

  /** Brings nothing more; resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelRetry?.()
    await this.#last
  }

  #next<Result>(step: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(step)
    this.#last = result.catch(() => {
      // Whoever asked for the step is told; the next one begins all the same.
    })
    return result
  }

  async #bring(): Promise<void> {
    this.#asked = false
    if (this.#stopped) return
    const plan = this.#parts.plan()
    try {
      if (JSON.stringify(plan) !== this.#applied) await this.#parts.engine.apply(plan)
      this.#note(plan)
    } catch (error) {
      this.#retry(error)
    }
  }

  #note(plan: Plan): void {
    this.#applied = JSON.stringify(plan)
    this.#failures = 0
    this.#parts.onApplied(plan)
  }

  #retry(error: unknown): void {
    const { clock, random } = this.#parts
    this.#parts.onTrouble(`the engine did not take a plan: ${describeError(error)}`)
    const waitMs = backoffMs(this.#failures++, retryWaits, random)
    this.#cancelRetry = clock.after(waitMs, () => this.push())
  }
}
