import { createManualClock, type ManualClock, seededRandom } from '@drover/kernel'
import type { PolicyName } from '../../src/plan.ts'
import { createPolicy } from '../../src/policies/table.ts'
import type { Candidate, Policy } from '../../src/policy.ts'

/** Returns one idle candidate for each weight: `Server 1`, `Server 2`, ... */
export function createCandidates(weights: readonly number[]): Candidate[] {
  return weights.map((weight, index) => ({
    id: `web/Server ${index + 1}`,
    name: `Server ${index + 1}`,
    weight,
    inFlight: 0,
    inFlightMax: Number.POSITIVE_INFINITY,
    latencyMs: 0,
    latencyAtMs: 0,
    credit: 0,
  }))
}

/** Returns a policy with chance from a fixed seed, and the clock that it reads. */
export function makePolicy(
  name: PolicyName,
  candidates: readonly Candidate[],
  options: Record<string, number | string> = {},
): { policy: Policy; clock: ManualClock } {
  const clock = createManualClock()
  const plan = { name, key: { from: 'client' }, options } as const
  return { policy: createPolicy(plan, candidates, { clock, random: seededRandom(7) }), clock }
}

/** Picks once for each key, without ever counting a request as under way. */
export function pickAll(policy: Policy, keys: Iterable<string | number>): (string | undefined)[] {
  return Array.from(keys, (key) => policy.pick({ key, tried: [] })?.name)
}

/** Picks `count` times for no special key and counts the picks of each name. */
export function countPicks(policy: Policy, count: number): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of pickAll(policy, Array(count).keys()))
    counts[String(name)] = (counts[String(name)] ?? 0) + 1
  return counts
}
