import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type PolicyName, policyNames } from '../../src/plan.ts'
import { checkPolicyOptions, policies } from '../../src/policies/table.ts'
import { createCandidates, makePolicy } from './candidates.ts'

const planOf = (name: PolicyName, options: Record<string, number | string>) =>
  ({ name, key: { from: 'client' }, options }) as const

test('every policy of the plan has a row', () => {
  assert.deepEqual(Object.keys(policies).sort(), [...policyNames].sort())
})

test('options that are not given get their defaults', () => {
  const options = checkPolicyOptions(planOf('ring', { epsilon: 0.5 }))

  assert.deepEqual(options, { virtualNodes: 100, epsilon: 0.5 })
})

const wrong: [PolicyName, Record<string, number | string>, RegExp][] = [
  ['ring', { virtualNode: 3 }, /no option virtualNode; did you mean virtualNodes\?/],
  ['random', { anything: 3 }, /no option anything; it has no options/],
  ['ring', { virtualNodes: 0 }, /virtualNodes of policy ring must be a whole number from 1/],
  ['ring', { virtualNodes: 1.5 }, /must be a whole number/],
  ['ring', { epsilon: Number.NaN }, /must be a number from 0 to 100, not NaN/],
  ['slot-ring', { hash: 'md5' }, /must be classroom or multiplicative or fnv or murmur, not md5/],
  ['rnig' as PolicyName, {}, /unknown policy rnig; did you mean ring\?/],
  ['constructor' as PolicyName, {}, /unknown policy constructor/],
]
for (const [name, options, message] of wrong)
  test(`refuses ${name} with ${JSON.stringify(options)}`, () => {
    assert.throws(() => checkPolicyOptions(planOf(name, options)), {
      code: 'PLAN_REFUSED',
      message,
    })
  })

describe('whatever the policy', () => {
  for (const name of policyNames) {
    test(`${name} picks somebody free as long as there is one`, () => {
      const replica = fc.record({
        weight: fc.integer({ min: 1, max: 9 }),
        busy: fc.boolean(),
        tried: fc.boolean(),
      })
      fc.assert(
        fc.property(fc.array(replica, { maxLength: 8 }), fc.string(), (replicas, key) => {
          const candidates = createCandidates(replicas.map(({ weight }) => weight))
          const tried = candidates.filter((_, index) => replicas[index]?.tried)
          candidates.forEach((candidate, index) => {
            candidate.inFlightMax = 3
            candidate.inFlight = replicas[index]?.busy ? 3 : index % 3
          })
          const { policy } = makePolicy(name, candidates)

          const picked = policy.pick({ key, tried })

          const free = candidates.filter(
            (candidate) => candidate.inFlight < 3 && !tried.includes(candidate),
          )
          if (free.length === 0) assert.equal(picked, undefined)
          else assert.ok(picked && free.includes(picked))
        }),
        { numRuns: 200 },
      )
    })

    test(`${name} has nobody to pick from nobody`, () => {
      assert.equal(makePolicy(name, []).policy.pick({ key: 'a', tried: [] }), undefined)
    })
  }
})

test('the stretches of a policy that has a ring cover it once', () => {
  const candidates = createCandidates([1, 2, 1])
  const drawn = Object.entries(policies).flatMap(([name, { arcs }]) => {
    const stretches = arcs?.(candidates, checkPolicyOptions(planOf(name as PolicyName, {})))
    return stretches ? [{ name, stretches }] : []
  })

  assert.deepEqual(drawn.map(({ name }) => name).sort(), ['ring', 'slot-ring'])
  for (const { name, stretches } of drawn) {
    assert.equal(stretches.length, candidates.length)
    const whole = stretches.flat().reduce((sum, { length }) => sum + length, 0)
    assert.ok(Math.abs(whole - 1) < 1e-9, `${name}: ${whole}`)
  }
})
