import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countPicks, createCandidates, makePolicy } from './candidates.ts'

for (const name of ['random', 'two-choices', 'peak-ewma'] as const)
  test(`${name} on an idle service is even`, () => {
    const candidates = createCandidates([1, 1, 1, 1])
    for (const candidate of candidates) candidate.latencyMs = 1
    const { policy } = makePolicy(name, candidates)

    const counts = Object.values(countPicks(policy, 40_000))

    assert.equal(counts.length, 4)
    for (const count of counts) assert.ok(Math.abs(count - 10_000) < 500, `${counts}`)
  })

test('random follows the weights', () => {
  const { policy } = makePolicy('random', createCandidates([7, 2, 1]))

  const counts = countPicks(policy, 20_000)

  assert.ok(Math.abs((counts['Server 1'] ?? 0) - 14_000) < 400, JSON.stringify(counts))
  assert.ok(Math.abs((counts['Server 3'] ?? 0) - 2_000) < 300, JSON.stringify(counts))
})

test('random follows the weights of those that are free', () => {
  const candidates = createCandidates([7, 2, 1])
  Object.assign(candidates[0] ?? {}, { inFlight: 1, inFlightMax: 1 })
  const { policy } = makePolicy('random', candidates)

  const counts = countPicks(policy, 9_000)

  assert.equal(counts['Server 1'], undefined)
  assert.ok(Math.abs((counts['Server 2'] ?? 0) - 6_000) < 300, JSON.stringify(counts))
})

test('two choices never take the busiest of three', () => {
  const candidates = createCandidates([1, 1, 1])
  candidates.forEach((candidate, index) => {
    candidate.inFlight = index
  })
  const { policy } = makePolicy('two-choices', candidates)

  assert.equal(countPicks(policy, 1_000)['Server 3'], undefined)
})

test('two choices keep lasting requests nearly level', () => {
  const candidates = createCandidates(Array(10).fill(1))
  const { policy } = makePolicy('two-choices', candidates)

  for (let request = 0; request < 10_000; request++) {
    const picked = policy.pick({ key: 0, tried: [] })
    if (picked) picked.inFlight++
  }

  const loads = candidates.map(({ inFlight }) => inFlight)
  assert.ok(Math.max(...loads) - Math.min(...loads) <= 8, `${loads}`)
})
