import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createManualClock } from '@drover/kernel'
import { newId } from '../../src/api/job-id.ts'
import type { Ending } from '../../src/store/endings.ts'
import { retentionDefaults } from '../../src/store/retention-options.ts'
import { openStores } from '../../src/stores.ts'

const startMs = 1_790_000_000_000
const dayMs = 86_400_000

/** What every store must do to forget in time; `location` is an empty one. */
export async function testRetention(location: string): Promise<void> {
  const clock = createManualClock(startMs)
  const stores = await openStores({ store: location, clock })
  after(() => stores.close())
  const { jobs, claims, deliveries, retention, turns } = stores

  const begin = async (type: 1 | 2 | 3, callbackUrl?: string) => {
    const id = newId(clock.now())
    await jobs.record([
      {
        ...{ id, ownerId: 'owner', userId: 'u', url: 'http://site.example/', type, callbackUrl },
        ...{ addedMs: clock.now(), priority: 0, dueMs: 0, attemptsMax: 3, batchId: undefined },
      },
    ])
    await claims.claimWaiting(type, 10, 1_000)
    const claimed = await claims.begin(id, 1, 1_000)
    assert.ok(claimed)
    return claimed
  }
  const done = async (content: string): Promise<Ending> => ({
    kind: 'done',
    contentHash: await jobs.keepContent(content),
    wholeHash: await jobs.keepContent(`all of ${content}`),
    result: {
      ...{ url: 'http://site.example/', status: 200, contentType: 'text/plain', bytes: 1 },
      ...{ etag: undefined, lastModified: undefined, facts: {} },
    },
  })
  const end = async (content: string, callbackUrl?: string): Promise<string> => {
    const claimed = await begin(1, callbackUrl)
    const { id } = claimed.job
    const delivery = callbackUrl ? { id: `${id}.1`, url: callbackUrl, body: '{}' } : undefined
    await claims.finish(claimed, await done(content), delivery)
    return id
  }
  const exists = (id: string) =>
    jobs
      .job(id)
      .then(() => true)
      .catch(() => false)

  test('results go after their time, jobs after theirs, and what has not ended stays', async () => {
    const first = await end('first')
    const hash = (await jobs.job(first)).contentHash ?? ''
    const working = await begin(2)
    await clock.advance(8 * dayMs)
    const second = await end('second')

    const early = await retention.sweep(retentionDefaults)
    const without = await jobs.job(first)
    await clock.advance(23 * dayMs)
    const late = await retention.sweep(retentionDefaults)

    assert.deepEqual([early.jobs, early.results, early.contents], [0, 1, 2])
    assert.deepEqual([without.state, without.contentHash], ['done', undefined])
    await assert.rejects(jobs.content(hash), { code: 'RESULT_MISSING' })
    assert.equal(late.jobs, 1)
    assert.deepEqual(await Promise.all([first, second, working.job.id].map(exists)), [
      false,
      true,
      true,
    ])
  })

  test('a content stays while any job has it', async () => {
    const old = await end('shared')
    await clock.advance(8 * dayMs)
    const young = await end('shared')

    await retention.sweep(retentionDefaults)

    assert.equal((await jobs.job(old)).contentHash, undefined)
    const { contentHash = '' } = await jobs.job(young)
    assert.equal(Buffer.from(await jobs.content(contentHash)).toString(), 'shared')
  })

  test('a job whose callback is still to be sent stays', async () => {
    const id = await end('called', 'http://me.example/')
    await clock.advance(40 * dayMs)

    await retention.sweep(retentionDefaults)
    const before = await exists(id)
    const [claimed] = await deliveries.claimDue(10, 1_000)
    assert.ok(claimed)
    const attempt = { atMs: 0, tookMs: 0, status: 200, answer: '', error: undefined }
    await deliveries.note(claimed, attempt, { state: 'delivered', dueMs: 0 })
    await retention.sweep(retentionDefaults)

    assert.deepEqual([before, await exists(id)], [true, false])
    await assert.rejects(deliveries.delivery(`${id}.1`), { code: 'DELIVERY_UNKNOWN' })
  })

  test('no more jobs and bytes are kept than may be, the newest first', async () => {
    const ids: string[] = []
    for (let number = 0; number < 6; number++) {
      ids.push(await end(`content ${number} ${Math.sin(number)}`.repeat(200 + number)))
      await clock.advance(7_200_000)
    }

    await retention.sweep({ ...retentionDefaults, endedMax: 4 })
    const counted = await Promise.all(ids.map(exists))
    await retention.sweep({ ...retentionDefaults, resultBytesMax: 1 })
    const kept = await Promise.all(ids.slice(2).map((id) => jobs.job(id)))

    assert.deepEqual(counted, [false, false, true, true, true, true])
    assert.ok(kept.every(({ contentHash }) => contentHash === undefined))
  })

  test('turns at a host are given out one after the other, over all workers', async () => {
    const other = await openStores({ store: location, clock })
    const waits = []
    for (const one of [turns, other.turns, turns]) waits.push(await one.reserve('a.example', 500))
    await clock.advance(1_400)
    const next = await other.turns.reserve('a.example', 500)
    const elsewhere = await turns.reserve('b.example', 500)
    await clock.advance(10_000)
    await turns.tidy()
    await other.close()

    assert.deepEqual(waits, [0, 500, 1_000])
    assert.deepEqual([next, elsewhere], [100, 0])
    assert.equal(await turns.reserve('a.example', 500), 0)
  })

  test('a job that is parked comes back with its turn, and no attempt is counted', async () => {
    const claimed = await begin(3)
    const dueMs = clock.now() + 60_000
    await claims.finish(claimed, { kind: 'parked', dueMs }, undefined)

    await clock.advance(60_000)
    await claims.wakeDelayed(10)
    await claims.claimWaiting(3, 10, 1_000)
    const again = await claims.begin(claimed.job.id, 1, 1_000)

    assert.deepEqual([again?.job.attempt, again?.job.turnMs], [1, dueMs])
  })
}
