import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault, seededRandom, silentLog, systemClock } from '@drover/kernel'
import { newId } from '../../src/api/job-id.ts'
import type { Submission } from '../../src/job.ts'
import { createRecorder } from '../../src/pipeline/recorder.ts'
import { ensureTopics, messageQueue } from '../../src/pipeline/topics.ts'
import { encodeSubmission } from '../../src/pipeline/wire.ts'
import type { JobStore } from '../../src/store/job-store.ts'
import { createMemoryEngine } from '../memory-engine.ts'
import { until } from '../until.ts'

const submission = (userId: string): Submission => ({
  ...{ id: newId(systemClock.now()), ownerId: 'o', userId, url: 'http://a.example/', type: 1 },
  ...{ callbackUrl: undefined, addedMs: 1, priority: 0, dueMs: 0, attemptsMax: 3 },
  batchId: undefined,
})

test('a message that is no submission, or that the store refuses, stops no other', async (t) => {
  const engine = createMemoryEngine(systemClock)
  const stored: string[] = []
  let away = true
  const jobs = {
    async record(list: readonly Submission[]) {
      if (away) throw new Fault('STORE_UNAVAILABLE', { status: 503, retry: 'later' }, 'away')
      if (list.some(({ userId }) => userId === 'bad')) throw new Error('it violates a constraint')
      stored.push(...list.map(({ userId }) => String(userId)))
    },
  } as JobStore
  const recorder = createRecorder({
    ...{ engine, jobs, clock: systemClock, random: seededRandom(1), log: silentLog },
    ...{ recordMax: 10, onRecorded: () => {} },
  })
  t.after(() => recorder.stop())
  await ensureTopics(engine)
  const messages = ['1', 'bad', '2', '3'].map((userId) => encodeSubmission(submission(userId)))
  const strange = [Buffer.from('{"id":1}'), Buffer.from([0xff, 0xfe])]
  await engine.produce(
    messageQueue,
    [...messages, ...strange].map((value) => ({ value })),
  )

  await recorder.start()
  const open = async () => {
    const { ready, leased } = await engine.counts(messageQueue)
    return ready + leased
  }
  await until('a look at the store that is away', async () => (await open()) === 4)
  away = false
  await until('an empty queue', async () => (await open()) === 0)

  assert.deepEqual(stored.toSorted(), ['1', '2', '3'])
})
