import { type Clock, nearest, type Random } from '@drover/kernel'
import { slotHashes } from '@drover/ring'
import { fault } from '../errors.ts'
import type { PolicyName, PolicyPlan } from '../plan.ts'
import type { ArcsOf, Candidate, CreatePolicy, Policy, PolicyOptions } from '../policy.ts'
import { createLeastConnections } from './least-connections.ts'
import { createMaglev } from './maglev.ts'
import { createPeakEwma } from './peak-ewma.ts'
import { createRandom } from './random.ts'
import { createRendezvous } from './rendezvous.ts'
import { createRing, ringArcs } from './ring.ts'
import { createRoundRobin } from './round-robin.ts'
import { createSlotRing, slotRingArcs } from './slot-ring.ts'
import { createTwoChoices } from './two-choices.ts'
import { createWeighted } from './weighted.ts'

/** One knob of a policy: a number in a range, or one of a few words. */
export type PolicyOption =
  | {
      readonly kind: 'number'
      readonly default: number
      readonly least: number
      readonly most: number
      readonly whole: boolean
      readonly meaning: string
    }
  | {
      readonly kind: 'word'
      readonly default: string
      readonly words: readonly string[]
      readonly meaning: string
    }

/** A row of the table of policies. */
export interface PolicyEntry {
  readonly create: CreatePolicy
  /** Holds when it sends equal keys to the same replica, so that the plan's `key` matters. */
  readonly hashed: boolean
  readonly options: Readonly<Record<string, PolicyOption>>
  /** Present where the policy has a ring that can be drawn. */
  readonly arcs?: ArcsOf
  /** What it does, in one line for people who choose. */
  readonly meaning: string
}

/** Every policy by its name: the one place to add to when a file joins this folder. */
export const policies: Readonly<Record<PolicyName, PolicyEntry>> = {
  'round-robin': {
    create: createRoundRobin,
    hashed: false,
    options: {},
    meaning: 'each replica in turn, by weight where weights differ',
  },
  weighted: {
    create: createWeighted,
    hashed: false,
    options: {},
    meaning: 'smooth weighted round robin: shares are exact in any window of the sum of weights',
  },
  random: {
    create: createRandom,
    hashed: false,
    options: {},
    meaning: 'a replica drawn at random, by weight',
  },
  'least-connections': {
    create: createLeastConnections,
    hashed: false,
    options: {},
    meaning: 'the replica with the fewest requests under way for its weight',
  },
  'two-choices': {
    create: createTwoChoices,
    hashed: false,
    options: {},
    meaning: 'of two replicas drawn at random, the one with fewer requests under way',
  },
  'peak-ewma': {
    create: createPeakEwma,
    hashed: false,
    options: {
      decayMs: number(
        [2_500, 100, 60_000],
        'ms in which an estimate falls to 37 %; longer remembers slow answers better, shorter ' +
          'gives a replica that recovered its share back sooner',
      ),
    },
    meaning:
      'of two replicas drawn at random, the one that answers sooner, slow answers remembered',
  },
  'slot-ring': {
    create: createSlotRing,
    arcs: slotRingArcs,
    hashed: true,
    options: {
      slots: whole([512, 1, 1_048_576], 'M, the slots of the ring'),
      virtualServers: whole([9, 1, 1_024], 'K, the slots that each replica takes'),
      hash: {
        kind: 'word',
        default: 'classroom',
        words: Object.keys(slotHashes),
        meaning: 'H and Φ; classroom is uneven by design, the others spread',
      },
      probing: {
        kind: 'word',
        default: 'linear',
        words: ['linear', 'quadratic'],
        meaning: 'how a replica whose slot is taken finds another',
      },
    },
    meaning: 'the ring of the customizable load balancer: clockwise to the next taken slot',
  },
  ring: {
    create: createRing,
    arcs: ringArcs,
    hashed: true,
    options: {
      virtualNodes: whole(
        [100, 1, 10_000],
        'points of a replica on the ring; more spread more evenly and cost memory',
      ),
      epsilon: number(
        [0.25, 0, 100],
        'no replica has more than (1 + epsilon) times the mean under way; smaller is more even, ' +
          'larger keeps more keys with their replica; 0 sets no bound',
      ),
    },
    meaning: 'consistent hashing with virtual nodes, weights and bounded loads',
  },
  maglev: {
    create: createMaglev,
    hashed: true,
    options: {
      tableSize: whole(
        [65_537, 251, 1_048_576],
        'slots of the table (the next prime is taken); more spread more evenly, and cost 2 bytes each',
      ),
    },
    meaning: 'consistent hashing by a table: the most even, a few extra keys move on a change',
  },
  rendezvous: {
    create: createRendezvous,
    hashed: true,
    options: {},
    meaning: 'highest random weight: exact shares, only own keys move, slower with many replicas',
  },
}

/** Returns the policy of `plan` over `candidates`. Throws PLAN_REFUSED when an option is wrong. */
export function createPolicy(
  plan: PolicyPlan,
  candidates: readonly Candidate[],
  context: { readonly clock: Clock; readonly random: Random },
): Policy {
  const options = checkPolicyOptions(plan)
  return entryOf(plan.name).create(candidates, { ...context, options })
}

/**
 * Returns the options of `plan` with defaults filled in. Throws PLAN_REFUSED that names the policy,
 * the option and what was expected.
 */
export function checkPolicyOptions(plan: PolicyPlan): PolicyOptions {
  const known = entryOf(plan.name).options
  for (const name of Object.keys(plan.options)) if (!Object.hasOwn(known, name)) refuse(plan, name)

  return Object.fromEntries(
    Object.entries(known).map(([name, option]) => {
      const value = plan.options[name] ?? option.default
      if (!fits(option, value))
        throw fault(
          'PLAN_REFUSED',
          `option ${name} of policy ${plan.name} must be ${expected(option)}, not ${value}`,
        )
      return [name, value]
    }),
  )
}

type Range = readonly [initial: number, least: number, most: number]

function number([initial, least, most]: Range, meaning: string): PolicyOption {
  return { kind: 'number', default: initial, least, most, whole: false, meaning }
}

function whole([initial, least, most]: Range, meaning: string): PolicyOption {
  return { kind: 'number', default: initial, least, most, whole: true, meaning }
}

function entryOf(name: PolicyName): PolicyEntry {
  const entry = Object.hasOwn(policies, name) ? policies[name] : undefined
  if (entry) return entry
  const near = nearest(name, Object.keys(policies))
  throw fault(
    'PLAN_REFUSED',
    near
      ? `unknown policy ${name}; did you mean ${near}?`
      : `unknown policy ${name}; known are ${Object.keys(policies).join(', ')}`,
  )
}

function refuse(plan: PolicyPlan, name: string): never {
  const known = Object.keys(entryOf(plan.name).options)
  const near = nearest(name, known)
  const hint = near ? `did you mean ${near}?` : `it has ${known.join(', ') || 'no options'}`
  throw fault('PLAN_REFUSED', `policy ${plan.name} has no option ${name}; ${hint}`)
}

function fits(option: PolicyOption, value: number | string): boolean {
  if (option.kind === 'word') return typeof value === 'string' && option.words.includes(value)
  if (typeof value !== 'number' || !Number.isFinite(value)) return false
  if (option.whole && !Number.isInteger(value)) return false
  return value >= option.least && value <= option.most
}

function expected(option: PolicyOption): string {
  if (option.kind === 'word') return option.words.join(' or ')
  return `a ${option.whole ? 'whole ' : ''}number from ${option.least} to ${option.most}`
}
