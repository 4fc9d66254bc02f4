import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createManualClock } from '@drover/kernel'
import { newId } from '../../src/api/job-id.ts'
import type { Submission } from '../../src/job.ts'
import type { ClaimedJob, PublishedJob } from '../../src/store/claim-store.ts'
import { openStores } from '../../src/stores.ts'

const startMs = 1_790_000_000_000

/** What every store must do; `location` is an empty one. */
export async function testStore(location: string): Promise<void> {
  const clock = createManualClock(startMs)
  const stores = await openStores({ store: location, clock })
  const other = await openStores({ store: location, clock })
  after(() => Promise.all([stores.close(), other.close()]))
  const { jobs, claims, deliveries, accounts } = stores
  let owners = 0

  const submission = (ownerId: string, more: Partial<Submission> = {}): Submission => ({
    id: newId(clock.now()),
    ownerId,
    userId: 'u',
    url: 'http://site.example/',
    type: 1,
    callbackUrl: undefined,
    addedMs: clock.now(),
    priority: 0,
    dueMs: 0,
    attemptsMax: 3,
    batchId: undefined,
    ...more,
  })
  const newOwner = () => `owner-${owners++}`
  const claimAll = async (type: 1 | 2 | 3, count = 1_000): Promise<readonly PublishedJob[]> =>
    claims.claimWaiting(type, count, 1_000)
  const ending = async () => ({
    kind: 'done' as const,
    contentHash: await jobs.keepContent('text'),
    wholeHash: undefined,
    result: {
      url: 'http://site.example/',
      status: 200,
      contentType: 'text/plain',
      bytes: 4,
      etag: '"1"',
      lastModified: undefined,
      facts: {},
    },
  })
  /** A recorded job that a worker has begun. */
  const begun = async (ownerId: string, more: Partial<Submission> = {}): Promise<ClaimedJob> => {
    const job = submission(ownerId, { type: 2, ...more })
    await jobs.record([job])
    await claimAll(2)
    const claimed = await claims.begin(job.id, 1, 1_000)
    assert.ok(claimed)
    return claimed
  }

  test('a job that is recorded twice is there once', async () => {
    const owner = newOwner()
    const list = Array.from({ length: 1_200 }, () => submission(owner, { type: 3 }))

    await jobs.record(list)
    await jobs.record([...list.slice(0, 700)])

    assert.deepEqual(await jobs.counts({ ownerId: owner }), { waiting: 1_200 })
    assert.equal(await jobs.unfinished(owner), 1_200)
    await Promise.all([claimAll(3), claimAll(3)])
  })

  test('two publishers never claim the same job', async () => {
    const owner = newOwner()
    await jobs.record(Array.from({ length: 200 }, () => submission(owner)))

    const found = await Promise.all(
      [claims, other.claims, claims, other.claims].map((one) => one.claimWaiting(1, 80, 1_000)),
    )

    const ids = found.flat().map(({ id }) => id)
    assert.equal(new Set(ids).size, ids.length)
    assert.ok(ids.length > 0)
    await claimAll(1)
  })

  test('every owner has its turn, and of each the highest priority comes first', async () => {
    const [many, few] = [newOwner(), newOwner()]
    await jobs.record(Array.from({ length: 50 }, () => submission(many)))
    await jobs.record([submission(few), submission(few, { priority: 9 })])

    const claimed = await claimAll(1, 4)

    const mine = claimed.filter(({ ownerId }) => ownerId === few)
    assert.deepEqual([claimed.length, mine.map(({ priority }) => priority).toSorted()], [4, [0, 9]])
    await claimAll(1)
  })

  test('what is claimed together comes in turns, each owner by priority and then by age', async () => {
    const [first, second] = [newOwner(), newOwner()]
    const low = submission(first)
    await clock.advance(1)
    const lists = [
      [submission(first), submission(first, { priority: 5 }), low],
      [submission(second), submission(second, { priority: 9 })],
    ]
    for (const list of lists) await jobs.record(list)

    const claimed = await claimAll(1, 100)

    const ids = (owner: string) =>
      claimed.flatMap(({ id, ownerId }) => (ownerId === owner ? [id] : []))
    const [[young, high] = [], [late, early] = []] = lists
    assert.deepEqual(ids(first), [high?.id, low.id, young?.id])
    assert.deepEqual(ids(second), [early?.id, late?.id])
    assert.notEqual(claimed[0]?.ownerId, claimed[1]?.ownerId)
  })

  test('a claim that is over puts the job back, and the old claim is worth nothing', async () => {
    const claimed = await begun(newOwner())

    await clock.advance(1_001)
    await claims.releaseExpired()
    const [again] = await claimAll(2)
    const next = await claims.begin(claimed.job.id, 1, 1_000)

    assert.equal(again?.id, claimed.job.id)
    assert.deepEqual([next?.job.attempt, next?.job.losses], [1, 1])
    assert.equal(await claims.extend(claimed, 1_000), false)
    assert.equal(await claims.finish(claimed, await ending(), undefined), false)
    assert.equal(next && (await claims.finish(next, await ending(), undefined)), true)
  })

  test('a job whose worker stops goes back at once, and the attempt does not count', async () => {
    const claimed = await begun(newOwner())

    await claims.release(claimed)

    const { state, attempt } = await jobs.job(claimed.job.id)
    assert.deepEqual([state, attempt], ['waiting', 0])
    await claimAll(2)
  })

  test('a job is begun by one worker, however often its message comes', async () => {
    const owner = newOwner()
    const job = submission(owner, { type: 2 })
    await jobs.record([job])
    await claimAll(2)

    const begins = await Promise.all(
      [claims, other.claims, claims].map((one) => one.begin(job.id, 1, 1_000)),
    )

    assert.equal(begins.filter((one) => one !== undefined).length, 1)
  })

  test('an ending and its callback are noted together, the content once', async () => {
    const owner = await accounts.register(`${newOwner()}@example.org`, 'secret')
    const claimed = await begun(owner, { callbackUrl: 'http://me.example/' })
    const delivery = { id: `${claimed.job.id}.1`, url: 'http://me.example/', body: '{}' }

    await claims.finish(claimed, await ending(), delivery)
    const [due] = (await deliveries.claimDue(100, 1_000)).filter(
      (one) => one.delivery.id === delivery.id,
    )

    const job = await jobs.job(claimed.job.id)
    assert.equal(job.state, 'done')
    assert.equal(Buffer.from(await jobs.content(job.contentHash ?? '')).toString(), 'text')
    assert.equal((await jobs.lastResult(job))?.result.etag, '"1"')
    assert.deepEqual(due?.secrets, [await accounts.webhookSecret(owner)])
    assert.deepEqual(await deliveries.claimDue(100, 1_000), [])
  })

  test('callbacks are claimed a few of each receiver, and none of those that are closed', async () => {
    const owner = newOwner()
    const urls = ['http://a.example/1', 'http://a.example/2', 'http://a.example/3']
    for (const url of [...urls, 'http://b.example/', 'http://closed.example/']) {
      const claimed = await begun(owner, { callbackUrl: url })
      const delivery = { id: `${claimed.job.id}.1`, url, body: '{}' }
      await claims.finish(claimed, await ending(), delivery)
    }

    const which = { each: 2, except: ['http://closed.example'] }
    const [some, others] = await Promise.all([
      deliveries.claimDue(100, 1_000, which),
      other.deliveries.claimDue(100, 1_000, which),
    ])
    const rest = await deliveries.claimDue(100, 1_000)

    const claimed = [...some, ...others, ...rest].map(({ delivery }) => delivery.url)
    const hosts = some.map(({ delivery }) => new URL(delivery.url).host)
    assert.ok(hosts.filter((host) => host === 'a.example').length <= 2)
    assert.ok(!hosts.includes('closed.example'))
    assert.equal(new Set(claimed).size, claimed.length, 'no callback is claimed twice')
    assert.equal(claimed.filter((url) => url.includes('.example/')).length, 5)
  })

  test('endings of one moment are noted each by its own claim, of whatever kind', async () => {
    const owner = newOwner()
    const begin = () => begun(owner, { callbackUrl: 'http://many.example/' })
    const delivery = (claimed: ClaimedJob) => ({
      ...{ id: `${claimed.job.id}.1`, url: 'http://many.example/', body: '{}' },
    })
    const [done, dead, again, parked, lost, kept] = [
      await begin(),
      await begin(),
      await begin(),
      await begin(),
      await begin(),
      await begin(),
    ]
    await jobs.cancel(lost.job.id)
    const dueMs = clock.now() + 60_000
    const why = { code: 'X', reason: 'x' }

    const noted = await Promise.all([
      claims.finish(done, await ending(), delivery(done)),
      claims.finish(dead, { kind: 'dead', ...why }, delivery(dead)),
      claims.finish(again, { kind: 'again', dueMs, ...why }, undefined),
      claims.finish(parked, { kind: 'parked', dueMs }, undefined),
      claims.finish(lost, await ending(), delivery(lost)),
      claims.finish({ ...kept, claim: 'another' }, await ending(), delivery(kept)),
    ])

    assert.deepEqual(noted, [true, true, true, true, false, false])
    const found = await Promise.all(
      [done, dead, again, parked, lost, kept].map(({ job }) => jobs.job(job.id)),
    )
    assert.deepEqual(
      found.map(({ state, attempt, reasonCode }) => [state, attempt, reasonCode]),
      [
        ...[
          ['done', 1, undefined],
          ['dead', 1, 'X'],
          ['delayed', 1, 'X'],
        ],
        ...[
          ['delayed', 0, undefined],
          ['cancelled', 1, undefined],
          ['working', 1, undefined],
        ],
      ],
    )
    assert.deepEqual([found[2]?.dueMs, found[3]?.turnMs], [dueMs, dueMs])
    const list = await deliveries.list({ ownerId: owner, limit: 10 })
    assert.deepEqual(
      list.map(({ jobId }) => jobId).toSorted(),
      [done, dead].map(({ job }) => job.id).toSorted(),
    )
    assert.equal(await claims.extend(kept, 1_000), true)
    await deliveries.claimDue(100, 1_000)
    await claims.release(kept)
    await claimAll(2)
  })

  test('a job to be tried again waits until it is due', async () => {
    const claimed = await begun(newOwner())
    const dueMs = clock.now() + 5_000
    await claims.finish(claimed, { kind: 'again', dueMs, code: 'X', reason: 'x' }, undefined)

    await clock.advance(4_999)
    await claims.wakeDelayed(10)
    const before = await jobs.job(claimed.job.id)
    await clock.advance(1)
    await claims.wakeDelayed(10)

    assert.equal(before.state, 'delayed')
    assert.equal((await jobs.job(claimed.job.id)).state, 'waiting')
    await claimAll(2)
  })

  test('a job that its queue has lost is published again', async () => {
    const job = submission(newOwner(), { type: 2 })
    await jobs.record([job])
    await claims.markQueued((await claimAll(2)).map(({ claim }) => claim))
    await clock.advance(10_000)

    await claims.requeueLost(2, clock.now() - 10_000)
    const early = await jobs.job(job.id)
    await claims.requeueLost(2, clock.now() - 9_999)

    assert.equal(early.state, 'queued')
    assert.equal((await jobs.job(job.id)).state, 'waiting')
    await claimAll(2)
  })

  test('a cancelled job ends for its worker, and starts again as its next run', async () => {
    const owner = newOwner()
    const claimed = await begun(owner)

    await jobs.cancel(claimed.job.id, owner)
    const kept = await claims.extend(claimed, 1_000)
    await assert.rejects(jobs.retry(claimed.job.id, 'stranger'), { code: 'JOB_UNKNOWN' })
    const again = await jobs.retry(claimed.job.id, owner)

    assert.equal(kept, false)
    assert.deepEqual([again.state, again.run, again.attempt], ['waiting', 2, 0])
    await assert.rejects(jobs.retry(claimed.job.id, owner), { code: 'JOB_STATE' })
    await claimAll(2)
    assert.equal(await claims.begin(claimed.job.id, 1, 1_000), undefined)
  })

  test('an email is registered once, whoever is first', async () => {
    const email = `${newOwner()}@example.org`

    const results = await Promise.allSettled(
      [accounts, other.accounts].map((one) => one.register(email, 'secret')),
    )

    const codes = results.map((one) => (one.status === 'rejected' ? one.reason.code : 'made'))
    assert.deepEqual(codes.toSorted(), ['EMAIL_TAKEN', 'made'])
  })

  test('a refresh token is good once; a second use ends its whole family', async () => {
    const id = await accounts.register(`${newOwner()}@example.org`, 'secret')
    const first = await accounts.tokens.issuePair(id)

    const second = await accounts.tokens.refresh(first.refreshToken)
    await assert.rejects(other.accounts.tokens.refresh(first.refreshToken), {
      code: 'TOKEN_REFUSED',
    })

    await assert.rejects(accounts.tokens.refresh(second.refreshToken), { code: 'TOKEN_REFUSED' })
  })

  test('a replica knows the keys of another, and a rotated one still verifies', async () => {
    const id = await accounts.register(`${newOwner()}@example.org`, 'secret')
    const token = await accounts.tokens.issue(id)
    await accounts.keys.rotate()
    const newer = await accounts.tokens.issue(id)
    await clock.advance(1_000)

    const found = await Promise.all(
      [token, newer].map((one) => other.accounts.tokens.identify(one)),
    )

    assert.deepEqual(
      found.map(({ userId }) => userId),
      [id, id],
    )
  })
}
