import { type Clock, nearest, type Random } from '@drover/kernel'
import { fault } from '../errors.ts'
import type { PolicyName, PolicyPlan } from '../plan.ts'
import type { Candidate, CreatePolicy, Policy } from '../policy.ts'
import { createLeastConnections } from './least-connections.ts'
import { createPeakEwma } from './peak-ewma.ts'
import { createRandom } from './random.ts'
import { createRoundRobin } from './round-robin.ts'
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
  /** What it does, in one line for people who choose. */
  readonly meaning: string
}

/** Every policy by its name: the one place to add to when a file joins this folder. */
export const policies: Readonly<Partial<Record<PolicyName, PolicyEntry>>> = {
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
      decayMs: {
        kind: 'number',
        default: 2_500,
        least: 100,
        most: 60_000,
        whole: false,
        meaning:
          'time in ms in which an estimate falls to 37 %; longer remembers slow answers better, ' +
          'shorter gives a replica that recovered its share back sooner',
      },
    },
    meaning:
      'of two replicas drawn at random, the one that answers sooner, slow answers remembered',
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
export function checkPolicyOptions(plan: PolicyPlan): Readonly<Record<string, number | string>> {
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
