import { checkPolicyOptions, type PolicyPlan, policies, type ReplicaStatus } from '@drover/balancer'
import { systemClock, systemRandom } from '@drover/kernel'
import type { Arc } from '@drover/ring'

/** What a replica has of the keys, and who gets them when it leaves. */
export interface KeyShare {
  readonly name: string
  readonly weight: number
  /** Its part of the sampled keys, in [0, 1]. */
  readonly share: number
  /** Its stretches of the ring; none for policies without a ring. */
  readonly arcs: readonly Arc[]
  /** Which part of all keys each other one gets when it leaves; not told for more than 24 replicas. */
  readonly heirs: readonly { readonly name: string; readonly share: number }[]
  /** Keys of others that change their replica when it leaves, as a part of all keys. */
  readonly unsettled: number
}

/** As many keys are placed, the same ones each time. More is more exact and holds up the instance longer. */
export const keysSampled = 10_000
/** Heirs cost a ring and all keys for each replica that leaves. */
const leaversMax = 24
/** 6-digit numbers, as `request-id` draws them. */
const numbers = { least: 100_000, count: 900_000 }

type Candidate = ReturnType<typeof candidateOf>

/**
 * Returns the shares of the replicas that get requests now, by the policy itself: it is asked for some
 * thousand keys with all of them, and again without each. Empty for a policy that does not hash.
 */
export function keyShares(plan: PolicyPlan, replicas: readonly ReplicaStatus[]): KeyShare[] {
  if (!policies[plan.name].hashed) return []
  const candidates = replicas
    .filter(({ state, effectiveWeight }) => effectiveWeight > 0 && state !== 'draining')
    .map(candidateOf)
  const owners = ownersOf(plan, candidates)
  const arcs = policies[plan.name].arcs?.(candidates, checkPolicyOptions(plan)) ?? []
  return candidates.map((leaver, index) => {
    const share = owners.filter((owner) => owner === leaver).length / keysSampled
    const rest = candidates.filter((candidate) => candidate !== leaver)
    const after = candidates.length > leaversMax ? owners : ownersOf(plan, rest)
    return {
      name: leaver.name,
      weight: leaver.weight,
      share,
      arcs: arcs[index] ?? [],
      ...movedBy(leaver, owners, after),
    }
  })
}

function candidateOf({ id, name, effectiveWeight: weight }: ReplicaStatus) {
  const live = { inFlight: 0, latencyMs: 0, latencyAtMs: 0, credit: 0 }
  return { id, name, weight, inFlightMax: Number.POSITIVE_INFINITY, ...live }
}

/** The owner of each sampled key. */
function ownersOf(plan: PolicyPlan, candidates: readonly Candidate[]): (Candidate | undefined)[] {
  const policy = policies[plan.name].create(candidates, {
    clock: systemClock,
    random: systemRandom,
    options: checkPolicyOptions(plan),
  })
  const isNumber = plan.key.from === 'request-id'
  return Array.from({ length: keysSampled }, (_, index) => {
    const key = isNumber ? numberOf(index) : `key-${index}`
    return policy.pick({ key, tried: [] }) as Candidate | undefined
  })
}

/** Steps of the golden ratio: spread evenly, and of no pattern that squares would see. */
function numberOf(index: number): number {
  return numbers.least + ((Math.imul(index + 1, 0x9e3779b1) >>> 0) % numbers.count)
}

function movedBy(
  leaver: Candidate,
  before: readonly (Candidate | undefined)[],
  after: readonly (Candidate | undefined)[],
): Pick<KeyShare, 'heirs' | 'unsettled'> {
  const inherited = new Map<string, number>()
  let unsettled = 0
  before.forEach((owner, key) => {
    const heir = after[key]
    if (heir === owner || heir === undefined) return
    if (owner === leaver) inherited.set(heir.name, (inherited.get(heir.name) ?? 0) + 1)
    else unsettled++
  })
  const heirs = [...inherited].map(([name, keys]) => ({ name, share: keys / keysSampled }))
  return {
    heirs: heirs.sort((one, other) => other.share - one.share),
    unsettled: unsettled / keysSampled,
  }
}
