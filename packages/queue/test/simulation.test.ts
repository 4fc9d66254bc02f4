import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runSeed } from './simulation/run.ts'

/** SEED=7 repeats one run; SEEDS=5000 runs that many, from SEED_FROM on. */
const one = process.env.SEED
const count = Number(process.env.SEEDS ?? 200)
const from = Number(process.env.SEED_FROM ?? 1)
const seeds = one ? [Number(one)] : Array.from({ length: count }, (_, at) => from + at)

describe('simulation', () => {
  it(`holds its promises under faults, for ${seeds.length} seeds`, async () => {
    let [acked, crashes, moves] = [0, 0, 0]
    for (const seed of seeds) {
      try {
        const summary = await runSeed(seed)
        acked += summary.acked
        crashes += summary.crashes
        moves += summary.moves
      } catch (cause) {
        throw new Error(`seed ${seed}: SEED=${seed} npm test -- queue/dist/test/simulation`, {
          cause,
        })
      }
    }
    assert.ok(one || acked > seeds.length * 20, `${acked} messages were acknowledged`)
    assert.ok(one || crashes > seeds.length, `${crashes} power cuts`)
    assert.ok(one || moves > 0, `${moves} brokers came or went`)
  })
})
