import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createManualClock, seededRandom, silentLog } from '@drover/kernel'
import { newId } from '../../src/api/job-id.ts'
import type { Submission } from '../../src/job.ts'
import { pipelineDefaults } from '../../src/pipeline/options.ts'
import { createPublisher } from '../../src/pipeline/publisher.ts'
import { ensureTopics, typeQueue } from '../../src/pipeline/topics.ts'
import { decodeCall } from '../../src/pipeline/wire.ts'
import type { JobType } from '../../src/reading/read-page.ts'
import { openStores } from '../../src/stores.ts'
import { createMemoryEngine } from '../memory-engine.ts'
import { until } from '../until.ts'

const window = 10

/** A publisher over a store and a queue in memory and a clock of the test. */
async function startPublisher(t: TestContext) {
  const clock = createManualClock(1_790_000_000_000)
  const stores = await openStores({ store: ':memory:', clock })
  const engine = createMemoryEngine(clock)
  await ensureTopics(engine)
  const publisher = createPublisher({
    ...pipelineDefaults,
    ...{ engine, claims: stores.claims, clock, random: seededRandom(1), log: silentLog },
    ...{ window, lostMs: 10_000, onPublish: () => {} },
  })
  t.after(async () => {
    await publisher.stop()
    await stores.close()
  })
  const submit = async (type: JobType, count: number, more: Partial<Submission> = {}) => {
    const jobs = Array.from({ length: count }, () => ({
      ...{ id: newId(clock.now()), ownerId: 'o', userId: 'u', url: 'http://a.example/', type },
      ...{ callbackUrl: undefined, addedMs: clock.now(), priority: 0, dueMs: 0, attemptsMax: 3 },
      ...{ batchId: undefined, ...more },
    }))
    await stores.jobs.record(jobs)
    return jobs.map(({ id }) => id)
  }
  /** Lets time pass until the queue of a type has so many messages. */
  const waiting = (type: JobType, count: number) =>
    until(`${count} messages of type ${type}`, async () => {
      await clock.advance(100)
      return (await engine.counts(typeQueue(type))).ready === count
    })
  return { clock, engine, stores, publisher, submit, waiting }
}

test('types take turns, none takes the window of another, and priorities come first', async (t) => {
  const { engine, publisher, submit, waiting } = await startPublisher(t)
  await submit(1, 200)
  const urgent = await submit(1, 3, { priority: 9 })
  await submit(2, 5)
  await submit(3, 40)

  await publisher.start()
  await waiting(1, window)
  await waiting(2, 5)
  await waiting(3, window)
  const leases = await engine.lease(typeQueue(1), { count: window })

  const ids = leases.map(({ record }) => decodeCall(record.value)?.id)
  assert.deepEqual(ids.slice(0, 3).toSorted(), urgent.toSorted())
  assert.equal(leases.length, window)
})

test('a job that is due later is published then, and not before', async (t) => {
  const { clock, engine, publisher, submit, waiting } = await startPublisher(t)
  await submit(2, 1, { dueMs: clock.now() + 3_600_000 })

  await publisher.start()
  await clock.advance(3_590_000)
  const before = await engine.counts(typeQueue(2))
  await waiting(2, 1)

  assert.equal(before.ready, 0)
})

test('messages that a queue lost are published again, also while it has others', async (t) => {
  const { engine, stores, publisher, submit, waiting } = await startPublisher(t)
  const ids = await submit(3, 4)
  await publisher.start()
  await waiting(3, 4)

  // Two vanish; the other two stay where they are.
  const [one, other] = await engine.lease(typeQueue(3), { count: 2 })
  await engine.ack([one?.token ?? '', other?.token ?? ''])
  await waiting(3, 6)
  const found = new Set<string | undefined>()
  for (const { record } of await engine.lease(typeQueue(3), { count: 10 }))
    found.add(decodeCall(record.value)?.id)
  const begun = await Promise.all(ids.map((id) => stores.claims.begin(id, 1, 1_000)))

  assert.deepEqual([...found].toSorted(), ids.toSorted())
  assert.ok(begun.every((claimed) => claimed !== undefined))
})
