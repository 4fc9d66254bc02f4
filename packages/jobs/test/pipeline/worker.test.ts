import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { seededRandom, silentLog, systemClock } from '@drover/kernel'
import { newId } from '../../src/api/job-id.ts'
import type { Job, Submission } from '../../src/job.ts'
import { pipelineDefaults } from '../../src/pipeline/options.ts'
import { ensureTopics, typeQueue } from '../../src/pipeline/topics.ts'
import { encodeCall } from '../../src/pipeline/wire.ts'
import { createWorker } from '../../src/pipeline/worker.ts'
import type { Ending } from '../../src/store/endings.ts'
import { openStores } from '../../src/stores.ts'
import { createMemoryEngine } from '../memory-engine.ts'
import { until } from '../until.ts'

const dead: Ending = { kind: 'dead', code: 'X', reason: 'x' }

/** A worker of two slots over a store and a queue in memory; `attempt` does its jobs. */
async function startWorker(
  t: TestContext,
  attempt: (job: Job, signal: AbortSignal) => Promise<Ending>,
) {
  const stores = await openStores({ store: ':memory:', clock: systemClock })
  const engine = createMemoryEngine(systemClock)
  await ensureTopics(engine)
  const worker = createWorker({
    ...pipelineDefaults,
    ...{ engine, attempt, claims: stores.claims, workerConcurrency: 2, types: [1] },
    ...{ clock: systemClock, random: seededRandom(1), log: silentLog, onDelivery: () => {} },
  })
  await worker.start()
  t.after(async () => {
    await worker.stop()
    await stores.close()
  })
  /** Jobs that the publisher has claimed. */
  const publish = async (count: number) => {
    const jobs = Array.from(
      { length: count },
      (): Submission => ({
        ...{ id: newId(Date.now()), ownerId: 'o', userId: 'u', url: 'http://a.example/', type: 1 },
        ...{ callbackUrl: undefined, addedMs: 1, priority: 0, dueMs: 0, attemptsMax: 3 },
        batchId: undefined,
      }),
    )
    await stores.jobs.record(jobs)
    const claimed = await stores.claims.claimWaiting(1, count, 60_000)
    return claimed.map(({ id, run }) => ({ id, run, suspect: false }))
  }
  const send = (calls: Awaited<ReturnType<typeof publish>>) =>
    engine.produce(
      typeQueue(1),
      calls.map((call) => ({ value: encodeCall(call) })),
    )
  const isEmpty = async () => {
    const { ready, leased } = await engine.counts(typeQueue(1))
    return ready + leased === 0
  }
  return { stores, worker, publish, send, isEmpty }
}

test('what a worker is told of begins at once, as far as there is room, and is done once', async (t) => {
  const begun: string[] = []
  const going = Promise.withResolvers<void>()
  const { stores, worker, publish, send, isEmpty } = await startWorker(t, async (job) => {
    begun.push(job.id)
    await going.promise
    return dead
  })
  const calls = await publish(3)

  worker.offer(1, calls)
  worker.offer(2, calls)
  await until('the first two', () => begun.length === 2)
  await send(calls)
  going.resolve()
  await until('the end of all', async () => (await stores.jobs.counts()).dead === 3)
  await until('an empty queue', isEmpty)

  assert.deepEqual(begun.toSorted(), calls.map(({ id }) => id).toSorted())
})

test('a worker that stops puts back what it has begun, and takes nothing more', async (t) => {
  let begun = 0
  const { stores, worker, publish, send } = await startWorker(t, (_job, signal) => {
    begun++
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
    })
  })
  const calls = await publish(4)
  await send(calls.slice(0, 3))
  await until('two of them', () => begun === 2)

  await worker.stop()
  worker.offer(1, calls.slice(3))

  assert.equal(begun, 2)
  assert.deepEqual(await stores.jobs.counts(), { waiting: 2, publishing: 2 })
})
