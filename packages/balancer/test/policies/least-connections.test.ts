import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countPicks, createCandidates, makePolicy, pickAll } from './candidates.ts'

test('takes the replica with the fewest requests under way', () => {
  const candidates = createCandidates([1, 1, 1])
  candidates.forEach((candidate, index) => {
    candidate.inFlight = [4, 2, 3][index] ?? 0
  })
  const { policy } = makePolicy('least-connections', candidates)

  assert.deepEqual(pickAll(policy, [1]), ['Server 2'])
})

test('counts requests under way by weight', () => {
  const candidates = createCandidates([4, 1])
  candidates.forEach((candidate, index) => {
    candidate.inFlight = [6, 2][index] ?? 0
  })
  const { policy } = makePolicy('least-connections', candidates)

  assert.deepEqual(pickAll(policy, [1]), ['Server 1'])
})

test('spreads an idle service by weight too', () => {
  const { policy } = makePolicy('least-connections', createCandidates([8, 1, 1]))

  assert.deepEqual(countPicks(policy, 100), { 'Server 1': 80, 'Server 2': 10, 'Server 3': 10 })
})

test('requests that last end up in proportion to the weights', () => {
  const candidates = createCandidates([3, 2, 1])
  const { policy } = makePolicy('least-connections', candidates)

  for (let request = 0; request < 60; request++) {
    const picked = policy.pick({ key: 0, tried: [] })
    if (picked) picked.inFlight++
  }

  assert.deepEqual(
    candidates.map(({ inFlight }) => inFlight),
    [30, 20, 10],
  )
})
