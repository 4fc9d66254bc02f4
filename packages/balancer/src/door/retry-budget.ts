import type { RetryPlan } from '../plan.ts'

const windowSeconds = 10

/**
 * Bounds repeated requests to a share of all requests of the last 10 s, so that a failing service
 * is not buried under retries (the "retry budget" of Finagle and Envoy).
 */
export class RetryBudget {
  plan: RetryPlan
  /** Requests and retries of each of the last seconds. */
  readonly #requests = new Float64Array(windowSeconds)
  readonly #retries = new Float64Array(windowSeconds)
  #slot = 0
  #slotStartMs: number

  constructor(plan: RetryPlan, nowMs: number) {
    this.plan = plan
    this.#slotStartMs = nowMs
  }

  /** Counts a first attempt. */
  request(): void {
    this.#requests[this.#slot] = (this.#requests[this.#slot] ?? 0) + 1
  }

  /** Takes one retry out of the budget; false when it is used up. */
  retry(): boolean {
    const requests = this.#requests.reduce((sum, count) => sum + count, 0)
    const retries = this.#retries.reduce((sum, count) => sum + count, 0)
    const most = requests * this.plan.budgetShare + this.plan.budgetPerSecond * windowSeconds
    if (retries + 1 > most) return false
    this.#retries[this.#slot] = (this.#retries[this.#slot] ?? 0) + 1
    return true
  }

  /** Moves the window on; called about ten times a second. */
  tick(nowMs: number): void {
    const passed = Math.min(windowSeconds, Math.floor((nowMs - this.#slotStartMs) / 1_000))
    if (passed <= 0) return
    this.#slotStartMs = nowMs
    for (let step = 0; step < passed; step++) {
      this.#slot = (this.#slot + 1) % windowSeconds
      this.#requests[this.#slot] = 0
      this.#retries[this.#slot] = 0
    }
  }
}
