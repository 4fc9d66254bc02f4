import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { createManualClock } from '@drover/kernel'
import { keyedId } from '../../src/api/job-id.ts'
import type { Schedule } from '../../src/schedule.ts'
import { openStores } from '../../src/stores.ts'

const startMs = 1_790_000_000_000 - (1_790_000_000_000 % 3_600_000)

/** What every store must do for schedules, keys and quotas; `location` is an empty one. */
export async function testSubmissions(location: string): Promise<void> {
  const clock = createManualClock(startMs)
  const isPostgres = location.startsWith('postgres')
  const stores = await openStores({ store: location, clock })
  const other = await openStores({ store: location, clock })
  after(() => Promise.all([stores.close(), other.close()]))
  const { jobs, schedules, submissions, accounts } = stores
  let owners = 0
  const newOwner = () => accounts.register(`schedules${owners++}@example.org`, 'secret')

  const occurrence = ({ id, ownerId, job }: Schedule, dueMs: number) => ({
    ...job,
    ...{ id: keyedId(id, dueMs), ownerId, userId: 'u', callbackUrl: undefined },
    ...{ addedMs: clock.now(), priority: 0, dueMs: 0, attemptsMax: 1 },
    ...{ batchId: undefined, scheduleId: id },
  })
  const add = (ownerId: string, cron: string) =>
    schedules.add(
      {
        ...{ id: randomUUID(), ownerId, cron, timeZone: 'UTC' },
        job: { url: 'http://site.example/', type: 1 },
      },
      100,
    )
  const jobsOf = (ownerId: string) => jobs.jobs({ ownerId, limit: 100 })
  const endAll = async () => {
    for (const { id } of await stores.claims.claimWaiting(1, 100, 1_000)) await jobs.cancel(id)
  }

  test('a schedule submits once each time, with several schedulers', async () => {
    const owner = await newOwner()
    const { id, nextMs } = await add(owner, '*/10 * * * *')
    await clock.advance(600_000)

    const submit = (one: typeof stores) => one.schedules.submitDue(10, occurrence)
    // Two connections of one process to one file would wait for each other.
    const others = isPostgres ? [other, other] : []
    const due = await Promise.all([stores, stores, ...others].map(submit))
    due.push(await submit(other))
    const found = await jobsOf(owner)
    const after = await schedules.schedule(id, owner)

    assert.equal(nextMs, startMs + 600_000)
    assert.equal(
      due.reduce((sum, count) => sum + count),
      1,
    )
    assert.deepEqual(
      found.map(({ scheduleId, id: jobId }) => [scheduleId, jobId]),
      [[id, after.lastJobId]],
    )
    assert.equal(after.nextMs, startMs + 1_200_000)
    await endAll()
  })

  test('of times that were missed one comes, and none while the job before goes on', async () => {
    const owner = await newOwner()
    await add(owner, '* * * * *')

    await clock.advance(3_600_000)
    await schedules.submitDue(10, occurrence)
    await clock.advance(60_000)
    await schedules.submitDue(10, occurrence)
    const meanwhile = await jobsOf(owner)
    await endAll()
    await clock.advance(60_000)
    await schedules.submitDue(10, occurrence)

    assert.equal(meanwhile.length, 1)
    assert.equal((await jobsOf(owner)).length, 2)
    await endAll()
  })

  test('a schedule that rests submits nothing, and goes on from now', async () => {
    const owner = await newOwner()
    const { id } = await add(owner, '*/30 * * * *')
    await schedules.pause(id, true, owner)
    await clock.advance(7_200_000)
    await schedules.submitDue(1_000, occurrence)

    const resting = await schedules.schedule(id)
    const going = await schedules.pause(id, false)
    await schedules.submitDue(1_000, occurrence)

    assert.deepEqual([resting.paused, resting.nextMs], [true, undefined])
    assert.ok(going.nextMs !== undefined && going.nextMs > clock.now())
    assert.deepEqual(await jobsOf(owner), [])
  })

  test('schedules are listed by page, removed, bounded, and refused when they never come', async () => {
    const owner = await newOwner()
    const made = []
    for (let count = 0; count < 3; count++) made.push(await add(owner, '0 0 1 1 *'))

    const first = await schedules.list({ ownerId: owner, limit: 2 })
    const last = first.at(-1)
    assert.ok(last)
    const rest = await schedules.list({ ownerId: owner, limit: 2, after: last })
    await schedules.remove(made[0]?.id ?? '', owner)

    assert.deepEqual(
      [...first, ...rest].map(({ id }) => id).toSorted(),
      made.map(({ id }) => id).toSorted(),
    )
    await assert.rejects(schedules.schedule(made[0]?.id ?? ''), { code: 'SCHEDULE_UNKNOWN' })
    await assert.rejects(schedules.remove(made[1]?.id ?? '', 'x'), { code: 'SCHEDULE_UNKNOWN' })
    await assert.rejects(add(owner, '0 0 31 2 *'), { code: 'SCHEDULE_INVALID' })
    await assert.rejects(schedules.add({ ...(made[1] as Schedule), id: randomUUID() }, 2), {
      code: 'QUOTA_REACHED',
    })
  })

  test('a key belongs to one request, whoever is first, until it is forgotten', async () => {
    const owner = await newOwner()
    const takes = await Promise.allSettled(
      ['one', 'two', 'one', 'two'].map((fingerprint, index) =>
        (index % 2 === 0 ? stores : other).submissions.takeKey(owner, 'key', fingerprint),
      ),
    )
    const good = takes.filter(({ status }) => status === 'fulfilled')

    assert.equal(good.length, 2)
    assert.equal(await submissions.takeKey(owner, 'other key', 'two'), true)
    await clock.advance(1_000)
    await submissions.tidy(500)
    assert.equal(await submissions.takeKey(owner, 'key', 'three'), true)
  })

  test('what replicas accepted in a minute adds up', async () => {
    const owner = await newOwner()

    const sums = [
      await submissions.addToMinute(owner, startMs, 3),
      await other.submissions.addToMinute(owner, startMs, 4),
      await submissions.addToMinute(owner, startMs + 60_000, 5),
    ]

    assert.deepEqual(sums, [3, 7, 5])
  })

  test('changes of many jobs in one moment are told one page after the other', async () => {
    const [ann, bob] = [await newOwner(), await newOwner()]
    const job = { url: 'http://site.example/', type: 2 as const }
    const make = (ownerId: string) =>
      occurrence({ id: randomUUID(), ownerId, job } as Schedule, clock.now())
    await jobs.record(Array.from({ length: 25 }, (_, index) => make(index % 5 === 0 ? bob : ann)))

    const seen: string[] = []
    let since = { ms: clock.now(), id: '' }
    for (let page = await jobs.changes(ann, since, 6); page.length > 0; ) {
      seen.push(...page.map(({ id }) => id))
      const last = page.at(-1)
      since = { ms: last?.updatedMs ?? 0, id: last?.id ?? '' }
      page = await jobs.changes(ann, since, 6)
    }
    const everybodys = await jobs.changes(undefined, { ms: clock.now(), id: '' }, 100)

    assert.equal(new Set(seen).size, 20)
    assert.equal(seen.length, 20)
    assert.equal(everybodys.length, 25)
    assert.deepEqual((await jobs.countsByType(ann))[2], { waiting: 20 })
  })
}
