import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock, type ManualClock, seededRandom } from '@drover/kernel'
import fc from 'fast-check'
import { createPolicy } from '../../src/policies/table.ts'
import type { Candidate, Policy } from '../../src/policy.ts'
import { createCandidates } from './candidates.ts'

interface Bench {
  readonly clock: ManualClock
  readonly policy: Policy
  readonly candidates: readonly Candidate[]
  /** How long each candidate takes now, in ms. */
  readonly takesMs: number[]
}

function createBench(count: number, usualMs: number, seed: number): Bench {
  const clock = createManualClock()
  const candidates = createCandidates(Array(count).fill(1))
  const plan = { name: 'peak-ewma', key: { from: 'client' }, options: {} } as const
  const policy = createPolicy(plan, candidates, { clock, random: seededRandom(seed) })
  return { clock, policy, candidates, takesMs: Array(count).fill(usualMs) }
}

/** Sends `perSecond` requests a second for `seconds`; returns how many each candidate got. */
async function run(bench: Bench, seconds: number, perSecond: number): Promise<number[]> {
  const { clock, policy, candidates, takesMs } = bench
  const counts = candidates.map(() => 0)
  for (let sent = 0; sent < seconds * perSecond; sent++) {
    const picked = policy.pick({ key: 0, tried: [] })
    assert.ok(picked)
    const index = candidates.indexOf(picked)
    counts[index] = (counts[index] ?? 0) + 1
    const tookMs = takesMs[index] ?? 0
    picked.inFlight++
    clock.after(tookMs, () => {
      picked.inFlight--
      policy.observe?.(picked, tookMs)
    })
    await clock.advance(1_000 / perSecond)
  }
  return counts
}

test('a replica that is slow for 5 s has half of its fair share again within 30 s', async () => {
  const scenario = fc.record({
    count: fc.integer({ min: 2, max: 6 }),
    usualMs: fc.integer({ min: 1, max: 20 }),
    slowMs: fc.integer({ min: 50, max: 5_000 }),
    seed: fc.integer(),
  })
  await fc.assert(
    fc.asyncProperty(scenario, async ({ count, usualMs, slowMs, seed }) => {
      const bench = createBench(count, usualMs, seed)
      await run(bench, 2, 100)
      bench.takesMs[0] = slowMs
      await run(bench, 5, 100)
      bench.takesMs[0] = usualMs
      await run(bench, 30, 100)

      const counts = await run(bench, 10, 100)

      const fair = (10 * 100) / count
      assert.ok((counts[0] ?? 0) >= fair / 2, `${counts} of a fair ${fair}`)
    }),
    { numRuns: 12 },
  )
})

test('a slow replica gets little while it is slow, yet is asked now and then', async () => {
  const bench = createBench(3, 5, 1)
  bench.takesMs[0] = 500
  await run(bench, 5, 200)

  const counts = await run(bench, 60, 200)

  assert.ok((counts[0] ?? 0) >= 3, `${counts}`)
  assert.ok((counts[0] ?? 0) <= 0.02 * 60 * 200, `${counts}`)
})

test('a replica that was not heard yet gets one request at a time', async () => {
  const bench = createBench(3, 5, 1)
  const [, second, third] = bench.candidates
  for (const heard of [second, third]) if (heard) bench.policy.observe?.(heard, 5)
  bench.takesMs[0] = 400

  const counts = await run(bench, 0.4, 200)

  assert.equal(counts[0], 1)
})
