import type { RateLimitPlan } from '../plan.ts'

/** Clients remembered at most; beyond it the one heard of longest ago is forgotten (and refilled). */
const clientsMax = 100_000

interface Bucket {
  tokens: number
  atMs: number
}

/** A token bucket for each client: `burst` at once, `perSecond` in the long run. */
export class RateLimiter {
  plan: RateLimitPlan
  /** In order of first appearance since last forgotten. */
  readonly #buckets = new Map<string, Bucket>()

  constructor(plan: RateLimitPlan) {
    this.plan = plan
  }

  /** Takes a token of `client`'s; false when it has none left. Cost O(1). */
  admit(client: string, nowMs: number): boolean {
    const { perSecond, burst } = this.plan
    let bucket = this.#buckets.get(client)
    if (!bucket) {
      this.#makeRoom()
      bucket = { tokens: burst, atMs: nowMs }
      this.#buckets.set(client, bucket)
    }
    const earned = ((nowMs - bucket.atMs) / 1_000) * perSecond
    bucket.tokens = Math.min(burst, bucket.tokens + Math.max(0, earned))
    bucket.atMs = nowMs
    if (bucket.tokens < 1) return false
    bucket.tokens -= 1
    return true
  }

  #makeRoom(): void {
    if (this.#buckets.size < clientsMax) return
    const oldest = this.#buckets.keys().next()
    if (!oldest.done) this.#buckets.delete(oldest.value)
  }
}
