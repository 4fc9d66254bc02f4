import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { countPicks, createCandidates, makePolicy, pickAll } from './candidates.ts'

test('round robin takes each replica in turn', () => {
  const { policy } = makePolicy('round-robin', createCandidates([1, 1, 1]))

  assert.deepEqual(pickAll(policy, [1, 2, 3, 4]), ['Server 1', 'Server 2', 'Server 3', 'Server 1'])
})

test('round robin goes on in a new plan where it was', () => {
  const candidates = createCandidates([1, 1, 1])
  pickAll(makePolicy('round-robin', candidates).policy, [1, 2])

  const { policy } = makePolicy('round-robin', candidates)

  assert.deepEqual(pickAll(policy, [1, 2]), ['Server 3', 'Server 1'])
})

test('round robin gives the turn of a busy replica to the next', () => {
  const candidates = createCandidates([1, 1, 1])
  Object.assign(candidates[1] ?? {}, { inFlight: 2, inFlightMax: 2 })
  const { policy } = makePolicy('round-robin', candidates)

  assert.deepEqual(pickAll(policy, [1, 2, 3]), ['Server 1', 'Server 3', 'Server 1'])
})

test('round robin with one of three gone is even over the other two', () => {
  const candidates = createCandidates([1, 1, 1])
  countPicks(makePolicy('round-robin', candidates).policy, 10)

  const { policy } = makePolicy('round-robin', candidates.slice(1))

  assert.deepEqual(countPicks(policy, 100), { 'Server 2': 50, 'Server 3': 50 })
})

for (const name of ['weighted', 'round-robin'] as const)
  test(`${name} shares 100 requests 80/10/10 by weights 8/1/1`, () => {
    const { policy } = makePolicy(name, createCandidates([8, 1, 1]))

    assert.deepEqual(countPicks(policy, 100), { 'Server 1': 80, 'Server 2': 10, 'Server 3': 10 })
  })

test('weighted spreads a heavy replica instead of serving it in a row', () => {
  const { policy } = makePolicy('weighted', createCandidates([5, 1, 1]))

  const order = pickAll(policy, Array(7).keys()).map((name) => name?.at(-1))

  assert.equal(order.join(''), '1121311')
})

const weightsOf = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 8 })

test('weights come out exactly in any window of their sum', () => {
  fc.assert(
    fc.property(weightsOf, fc.nat(200), (weights, skipped) => {
      const { policy } = makePolicy('weighted', createCandidates(weights))
      const sum = weights.reduce((total, weight) => total + weight, 0)
      countPicks(policy, skipped)

      const counts = countPicks(policy, sum)

      assert.deepEqual(
        counts,
        Object.fromEntries(weights.map((weight, index) => [`Server ${index + 1}`, weight])),
      )
    }),
  )
})

test('a new plan with the same weights does not disturb the window', () => {
  fc.assert(
    fc.property(weightsOf, fc.nat(40), (weights, before) => {
      const candidates = createCandidates(weights)
      const sum = weights.reduce((total, weight) => total + weight, 0)
      const first = before % sum
      const counts = countPicks(makePolicy('weighted', candidates).policy, first)
      const rest = countPicks(makePolicy('weighted', candidates).policy, sum - first)

      weights.forEach((weight, index) => {
        const name = `Server ${index + 1}`
        assert.equal((counts[name] ?? 0) + (rest[name] ?? 0), weight)
      })
    }),
  )
})

test('credit of another membership, or another policy, is void', () => {
  const candidates = createCandidates([1, 1, 1])
  countPicks(makePolicy('round-robin', candidates).policy, 1_000)
  Object.assign(candidates[0] ?? {}, { weight: 8 })

  const { policy } = makePolicy('weighted', candidates)

  assert.deepEqual(countPicks(policy, 10), { 'Server 1': 8, 'Server 2': 1, 'Server 3': 1 })
})
