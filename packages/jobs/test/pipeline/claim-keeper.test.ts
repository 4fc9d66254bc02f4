import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock, silentLog } from '@drover/kernel'
import { createClaimKeeper } from '../../src/pipeline/claim-keeper.ts'
import type { ClaimedJob } from '../../src/store/claim-store.ts'

/** A keeper over claims of which `lost` are lost and `away` cannot be asked for. */
async function startKeeper() {
  const clock = createManualClock()
  const extended: string[] = []
  const [lost, away] = [new Set<string>(), new Set<string>()]
  const claims = {
    async extend({ job }: ClaimedJob) {
      extended.push(job.id)
      if (away.has(job.id)) throw new Error('away')
      return !lost.has(job.id)
    },
  }
  const keeper = createClaimKeeper({ claims, clock, log: silentLog, claimMs: 30_000 })
  await keeper.start()
  const keep = (id: string) => keeper.keep({ job: { id }, claim: 'c' } as ClaimedJob)
  return { clock, keeper, keep, extended, lost, away }
}

test('all claims are renewed at a third of their time, until they are let go', async () => {
  const { clock, keep, keeper, extended } = await startKeeper()
  keep('a')
  const other = keep('b')

  await clock.advance(10_000)
  other.letGo()
  await clock.advance(10_000)
  await keeper.stop()
  await clock.advance(30_000)

  assert.deepEqual(extended, ['a', 'b', 'a'])
})

test('a lost claim ends its job, a store that is away does not', async () => {
  const { clock, keep, lost, away } = await startKeeper()
  const [one, other] = [keep('a'), keep('b')]
  lost.add('a')
  away.add('b')

  await clock.advance(10_000)

  assert.deepEqual([one.isLost, one.signal.aborted], [true, true])
  assert.deepEqual([other.isLost, other.signal.aborted], [false, false])
})

test('who stops ends all jobs, also those that come too late, and none of them is lost', async () => {
  const { keep, keeper } = await startKeeper()
  const before = keep('a')
  await keeper.stop()
  const late = keep('b')

  assert.ok(before.signal.aborted && late.signal.aborted)
  assert.ok(!before.isLost && !late.isLost)
})
