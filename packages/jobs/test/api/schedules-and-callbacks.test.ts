import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createManualClock, seededRandom, silentLog } from '@drover/kernel'
import { createScheduler } from '../../src/pipeline/scheduler.ts'
import { until } from '../until.ts'
import { replicaOf, type User } from './replica-of.ts'

const tenMinutes = 600_000
const startMs = 1_790_000_000_000 - (1_790_000_000_000 % 86_400_000)
const clock = createManualClock(startMs)
const replica = await replicaOf({ after }, { clock, api: { schedulesMax: 2 } })
const { ask, stores } = replica
let users = 0
const newUser = () => replica.user(`user${users++}@example.org`)
const job = { url: 'http://site.example/a', type: 3, userId: 7, priority: 4 }

/** A job that is done, with its callback. */
async function calledBack(user: User): Promise<string> {
  const body = { ...job, type: 2, callbackUrl: 'http://me.example/done' }
  const { id } = (await ask(user, 'POST', '/v1/jobs', body)).json()
  await replica.record()
  await stores.claims.claimWaiting(2, 10, 60_000)
  const claimed = await stores.claims.begin(id, 1, 60_000)
  assert.ok(claimed)
  const ending = { kind: 'dead', code: 'PAGE_REFUSED', reason: 'gone' } as const
  const delivery = { id: `${id}.1`, url: 'http://me.example/done', body: '{}' }
  assert.ok(await stores.claims.finish(claimed, ending, delivery))
  return delivery.id
}

test('a schedule submits its job when its time has come, in its zone, until it rests', async (t) => {
  const ann = await newUser()
  const wanted = { cron: '40 5 * * *', timeZone: 'Asia/Kolkata', job }
  const made = await ask(ann, 'POST', '/v1/schedules', wanted)
  const { id } = made.json()
  const scheduler = createScheduler({
    ...{ clock, random: seededRandom(1), log: silentLog, schedules: stores.schedules },
    onSubmitted: () => {},
  })
  await scheduler.start()
  t.after(() => scheduler.stop())

  await clock.advance(tenMinutes)
  const jobs = await until('the job', async () => {
    await clock.advance(1_000)
    const found = (await ask(ann, 'GET', '/v1/jobs')).json().jobs
    return found.length > 0 ? found : undefined
  })
  const after = (await ask(ann, 'GET', `/v1/schedules/${id}`)).json()
  const resting = (await ask(ann, 'POST', `/v1/schedules/${id}/pause`, { paused: true })).json()

  assert.equal(made.statusCode, 201)
  assert.equal(made.json().nextAt, new Date(startMs + tenMinutes).toISOString())
  assert.deepEqual(
    jobs.map((one: { schedule: string; userId: number; priority: number; type: number }) => [
      one.schedule,
      one.userId,
      one.priority,
      one.type,
    ]),
    [[id, 7, 4, 3]],
  )
  assert.equal(after.lastJob, jobs[0].id)
  assert.equal(after.nextAt, new Date(startMs + tenMinutes + 86_400_000).toISOString())
  assert.deepEqual([resting.paused, resting.nextAt], [true, undefined])
  assert.equal((await ask(ann, 'DELETE', `/v1/schedules/${id}`)).statusCode, 204)
  assert.equal((await ask(ann, 'GET', `/v1/schedules/${id}`)).statusCode, 404)
})

test('a schedule that cannot be is refused, and the complaint says why', async () => {
  const ann = await newUser()
  const refusals = [
    [{ cron: '60 * * * *', job }, 422, /cron/],
    [{ cron: '0 0 31 2 *', job }, 422, /never comes/],
    [{ cron: '* * * * *', timeZone: 'Middle/Earth', job }, 422, /timeZone.*Middle\/Earth/],
    [{ cron: '* * * * *', job: { ...job, url: 'file:///etc/passwd' } }, 422, /http/],
    [{ cron: '* * * * *', job: { ...job, delayMs: 5 } }, 400, /delayMs/],
  ] as const

  for (const [body, status, said] of refusals) {
    const answer = await ask(ann, 'POST', '/v1/schedules', body)
    assert.equal(answer.statusCode, status, answer.body)
    assert.match(answer.json().detail, said)
  }
  for (const status of [201, 201, 429])
    assert.equal(
      (await ask(ann, 'POST', '/v1/schedules', { cron: '0 0 1 1 *', job })).statusCode,
      status,
    )
})

test('callbacks are listed by state, seen with their attempts, and sent once more', async () => {
  const [ann, bob] = [await newUser(), await newUser()]
  const id = await calledBack(ann)
  const [claimed] = await stores.deliveries.claimDue(10, 60_000)
  assert.ok(claimed)
  const attempt = { atMs: clock.now(), tookMs: 12, status: 500, answer: 'no', error: undefined }
  await stores.deliveries.note(claimed, attempt, { state: 'failed', dueMs: clock.now() })

  const failed = (await ask(ann, 'GET', '/v1/callbacks?state=failed')).json().callbacks
  const none = (await ask(ann, 'GET', '/v1/callbacks?state=delivered')).json().callbacks
  const one = (await ask(ann, 'GET', `/v1/callbacks/${id}`)).json()
  const counts = (await ask(ann, 'GET', '/v1/stats')).json().callbacks
  const foreign = [
    await ask(bob, 'GET', `/v1/callbacks/${id}`),
    await ask(bob, 'POST', `/v1/callbacks/${id}/replay`),
  ]
  const replayed = await ask(ann, 'POST', `/v1/callbacks/${id}/replay`)
  const again = await stores.deliveries.claimDue(10, 60_000)

  assert.deepEqual(
    failed.map((callback: { id: string }) => callback.id),
    [id],
  )
  assert.deepEqual(none, [])
  assert.deepEqual(counts, { failed: 1 })
  assert.deepEqual(one.attempts, [
    { attempt: 1, at: new Date(clock.now()).toISOString(), tookMs: 12, status: 500, answer: 'no' },
  ])
  for (const { statusCode } of foreign) assert.equal(statusCode, 404)
  assert.equal(replayed.statusCode, 202)
  assert.deepEqual(
    again.map(({ delivery }) => [delivery.id, delivery.attempt]),
    [[id, 2]],
  )
})
