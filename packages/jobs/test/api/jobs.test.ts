import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createManualClock } from '@drover/kernel'
import { decodeSubmission } from '../../src/pipeline/wire.ts'
import { replicaOf } from './replica-of.ts'

const startMs = 1_790_000_000_000
const clock = createManualClock(startMs)
const replica = await replicaOf({ after }, { clock, api: { batchMax: 50, unfinishedMax: 100 } })
const { ask, stores, engine, server } = replica

const page = (path = '', more: object = {}) => ({
  url: `http://site.example/${path}`,
  type: 1,
  ...more,
})
let users = 0
const newUser = () => replica.user(`user${users++}@example.org`)

interface Page {
  readonly jobs: readonly { readonly id: string }[]
  readonly next?: string
}

/** Ends a job as a worker would. */
async function end(id: string, code = 'PAGE_REFUSED') {
  for (const type of [1, 2, 3] as const) await stores.claims.claimWaiting(type, 1_000, 1_000)
  const claimed = await stores.claims.begin(id, 1, 1_000)
  assert.ok(claimed)
  await stores.claims.finish(claimed, { kind: 'dead', code, reason: 'it is gone' }, undefined)
}

test('a job is submitted, listed, seen, and waits with its priority and delay', async () => {
  const ann = await newUser()
  const body = page('a', { priority: 7, delayMs: 60_000, attemptsMax: 2, userId: 42 })

  const submitted = await ask(ann, 'POST', '/v1/jobs', body)
  await replica.record()
  const { id } = submitted.json()
  const one = await ask(ann, 'GET', `/v1/jobs/${id}`)
  const list = await ask(ann, 'GET', '/v1/jobs?state=delayed&type=1')

  assert.equal(submitted.statusCode, 202)
  assert.deepEqual(one.json(), {
    ...{ id, ownerId: ann.id, url: 'http://site.example/a', type: 1, state: 'delayed' },
    ...{ attempt: 0, attemptsMax: 2, priority: 7, run: 1, userId: 42 },
    addedAt: new Date(startMs).toISOString(),
    updatedAt: new Date(startMs).toISOString(),
    dueAt: new Date(startMs + 60_000).toISOString(),
  })
  assert.deepEqual(list.json(), { jobs: [one.json()] })
})

test('pages of a list have every job once, the newest first', async () => {
  const ann = await newUser()
  const jobs = Array.from({ length: 23 }, (_, index) => page(`${index}`))
  const { ids } = (await ask(ann, 'POST', '/v1/batches', { jobs })).json()
  await replica.record()

  const seen: string[] = []
  let url: string | undefined = '/v1/jobs?limit=5'
  while (url !== undefined) {
    const answer: Page = (await ask(ann, 'GET', url)).json()
    seen.push(...answer.jobs.map(({ id }) => id))
    const after: string | undefined = answer.next
    url = after && `/v1/jobs?limit=5&after=${encodeURIComponent(after)}`
  }

  assert.deepEqual(seen.toSorted(), ids.toSorted())
})

test('the same key gives the same answer and one job, also before the first is recorded', async () => {
  const ann = await newUser()
  const headers = { authorization: `Bearer ${ann.token}`, 'idempotency-key': 'k1' }
  const send = (payload: object, url = '/v1/jobs') =>
    server.inject({ method: 'POST', url, headers, payload })

  const first = await send(page('a'))
  const again = await send(page('a'))
  const other = await send(page('b'))
  const batch = await send({ jobs: [page('a')] }, '/v1/batches')
  await replica.record()
  const late = await send(page('a'))
  const changed = await send(page('a', { priority: 3 }))
  const list = await ask(ann, 'GET', '/v1/jobs')

  assert.deepEqual([first.statusCode, again.statusCode, late.statusCode], [202, 202, 202])
  assert.deepEqual([again.body, late.body], [first.body, first.body])
  for (const answer of [other, batch, changed]) {
    assert.equal(answer.statusCode, 409)
    assert.equal(answer.json().code, 'KEY_REUSED')
  }
  assert.equal(list.json().jobs.length, 1)
})

test('a key of one account means nothing to another', async () => {
  const [ann, bob] = [await newUser(), await newUser()]
  const send = (token: string) =>
    server.inject({
      method: 'POST',
      url: '/v1/jobs',
      headers: { authorization: `Bearer ${token}`, 'idempotency-key': 'same' },
      payload: page('a'),
    })

  const [first, other] = [await send(ann.token), await send(bob.token)]

  assert.notEqual(first.json().id, other.json().id)
})

test('a key whose request was refused for its quota is free again', async () => {
  const ann = await newUser()
  await stores.accounts.setQuota(ann.id, { unfinishedMax: 1 })
  const send = () =>
    server.inject({
      method: 'POST',
      url: '/v1/batches',
      headers: { authorization: `Bearer ${ann.token}`, 'idempotency-key': 'k' },
      payload: { jobs: [page('a'), page('b')] },
    })

  const [first, again] = [await send(), await send()]
  await stores.accounts.setQuota(ann.id, { unfinishedMax: 2 })
  const last = await send()

  assert.deepEqual([first.json().code, again.json().code], ['QUOTA_REACHED', 'QUOTA_REACHED'])
  assert.equal(last.statusCode, 202)
})

test('an account has so many unfinished jobs and no more, whatever others have', async () => {
  const [ann, bob] = [await newUser(), await newUser()]
  const jobs = Array.from({ length: 50 }, (_, index) => page(`${index}`))

  const full = await Promise.all([1, 2].map(() => ask(ann, 'POST', '/v1/batches', { jobs })))
  const over = await ask(ann, 'POST', '/v1/jobs', page('more'))
  await replica.record()
  await clock.advance(1_001)
  const still = await ask(ann, 'POST', '/v1/jobs', page('more'))
  const other = await ask(bob, 'POST', '/v1/jobs', page('mine'))

  assert.deepEqual(
    full.map(({ statusCode }) => statusCode),
    [202, 202],
  )
  for (const answer of [over, still]) {
    assert.equal(answer.statusCode, 429)
    assert.match(answer.json().detail, /100 of 100 jobs/)
  }
  assert.equal(other.statusCode, 202)
})

test('an account submits so many jobs in a minute over all replicas, and more in the next', async (t) => {
  const ann = await newUser()
  await stores.accounts.setQuota(ann.id, { perMinuteMax: 3, unfinishedMax: 0 })
  const nowMs = clock.now()
  await clock.advance(60_000 - (nowMs % 60_000))
  const submit = () => ask(ann, 'POST', '/v1/jobs', page('a'))

  const first = [await submit(), await submit()]
  // What another replica accepted in this minute.
  await stores.submissions.addToMinute(ann.id, clock.now(), 1)
  await clock.advance(1_001)
  const over = await submit()
  await clock.advance(60_000)
  const next = await submit()

  t.diagnostic(over.body)
  assert.deepEqual(
    [...first, next].map(({ statusCode }) => statusCode),
    [202, 202, 202],
  )
  assert.equal(over.statusCode, 429)
  assert.match(over.json().detail, /3 of 3 jobs came in this minute/)
})

test('a job is cancelled once, dead ones start again with their reason gone', async () => {
  const ann = await newUser()
  const { ids } = (
    await ask(ann, 'POST', '/v1/batches', { jobs: [page('a'), page('b'), page('c')] })
  ).json()
  await replica.record()
  await end(ids[0])

  const dead = (await ask(ann, 'GET', `/v1/jobs/${ids[0]}`)).json()
  const cancelled = await ask(ann, 'POST', `/v1/jobs/${ids[1]}/cancel`)
  const late = await ask(ann, 'POST', `/v1/jobs/${ids[0]}/cancel`)
  const early = await ask(ann, 'POST', `/v1/jobs/${ids[2]}/retry`)
  const retried = await ask(ann, 'POST', '/v1/jobs/retry', { state: 'dead' })
  const again = (await ask(ann, 'GET', `/v1/jobs/${ids[0]}`)).json()

  assert.deepEqual(dead.reason, { code: 'PAGE_REFUSED', message: 'it is gone' })
  assert.equal(cancelled.json().state, 'cancelled')
  for (const answer of [late, early]) assert.equal(answer.json().code, 'JOB_STATE')
  assert.deepEqual(retried.json(), { count: 1 })
  assert.deepEqual([again.state, again.run, again.reason], ['waiting', 2, undefined])
})

test('a batch of more jobs than may be is refused before they are looked at', async () => {
  const ann = await newUser()

  const answer = await ask(ann, 'POST', '/v1/batches', { jobs: Array(51).fill({ no: 'job' }) })

  assert.equal(answer.statusCode, 413)
  assert.match(answer.json().detail, /51 jobs; a batch has at most 50/)
})

test('an address that is none is named by its field, in a batch by its place', async () => {
  const ann = await newUser()
  const wrong = page('', { callbackUrl: 'ftp://me.example/' })

  const one = await ask(ann, 'POST', '/v1/jobs', wrong)
  const many = await ask(ann, 'POST', '/v1/batches', { jobs: [page(), { url: 'none', type: 1 }] })
  const again = await ask(ann, 'POST', '/v1/schedules', { cron: '0 0 * * *', job: wrong })

  for (const { statusCode } of [one, many, again]) assert.equal(statusCode, 422)
  assert.equal(one.json().detail, 'callbackUrl: "ftp://me.example/" is not http or https')
  assert.equal(many.json().detail, 'jobs/1/url: "none" is no address of a page')
  assert.equal(again.json().detail, 'job/callbackUrl: "ftp://me.example/" is not http or https')
})

test('a batch is cancelled as far as it has not ended', async () => {
  const ann = await newUser()
  const { batch, ids } = (
    await ask(ann, 'POST', '/v1/batches', { jobs: [page('a'), page('b'), page('c')] })
  ).json()
  await replica.record()
  await end(ids[0])

  const answer = await ask(ann, 'POST', `/v1/batches/${batch}/cancel`)
  const counts = await ask(ann, 'GET', `/v1/jobs/counts?batch=${batch}`)

  assert.deepEqual(answer.json(), { count: 2 })
  assert.deepEqual(counts.json(), { dead: 1, cancelled: 2 })
})

test('counts by type and state are of the own jobs, those of an admin of all', async () => {
  const [ann, boss] = [await newUser(), await replica.user('boss@example.org', 'admin')]
  await ask(ann, 'POST', '/v1/batches', { jobs: [page('a'), page('b', { type: 3 })] })
  await replica.record()

  const own = (await ask(ann, 'GET', '/v1/stats')).json()
  const all = (await ask(boss, 'GET', '/v1/stats')).json()

  assert.deepEqual(own.total, { waiting: 2 })
  assert.deepEqual(own.byType, { 1: { waiting: 1 }, 2: {}, 3: { waiting: 1 } })
  const sum = Object.values<number>(all.total).reduce((total, count) => total + count, 0)
  assert.ok(sum > 2)
})

test('an action without a body is taken also from clients that say it is JSON', async () => {
  const ann = await newUser()
  const { id } = (await ask(ann, 'POST', '/v1/jobs', page())).json()
  await replica.record()
  const headers = {
    authorization: `Bearer ${ann.token}`,
    'content-type': 'application/json',
  }

  const cancelled = await server.inject({
    method: 'POST',
    url: `/v1/jobs/${id}/cancel`,
    headers,
    payload: '',
  })
  const missing = await server.inject({ method: 'POST', url: '/v1/jobs', headers, payload: '' })

  assert.equal(cancelled.statusCode, 200)
  assert.equal(missing.statusCode, 400)
  assert.match(missing.json().detail, /^body must be object/)
})

test('a value that is none of those there are is told them all', async () => {
  const ann = await newUser()

  const answer = await ask(ann, 'GET', '/v1/jobs?state=deadish')

  assert.equal(answer.statusCode, 400)
  assert.match(answer.json().detail, /querystring\/state must be delayed, .*dead, cancelled$/)
})

test('a user sees none of what another has, an admin all of it', async () => {
  const [ann, bob] = [await newUser(), await newUser()]
  const boss = await replica.user('boss2@example.org', 'admin')
  const { id } = (await ask(ann, 'POST', '/v1/jobs', page('secret'))).json()
  const made = await ask(ann, 'POST', '/v1/schedules', { cron: '0 0 * * *', job: page('s') })
  const schedule = made.json().id
  await replica.record()
  const paths = [
    ['GET', `/v1/jobs/${id}`],
    ['GET', `/v1/jobs/${id}/result`],
    ['POST', `/v1/jobs/${id}/cancel`],
    ['POST', `/v1/jobs/${id}/retry`],
    ['GET', `/v1/schedules/${schedule}`],
    ['DELETE', `/v1/schedules/${schedule}`],
    ['POST', `/v1/schedules/${schedule}/pause`, { paused: true }],
  ] as const

  for (const [method, url, body] of paths)
    assert.equal((await ask(bob, method, url, body)).statusCode, 404, `${method} ${url}`)
  for (const list of ['/v1/jobs', '/v1/schedules', '/v1/callbacks'])
    assert.equal(Object.values((await ask(bob, 'GET', list)).json()).flat().length, 0, list)
  assert.equal((await ask(boss, 'GET', `/v1/jobs/${id}`)).statusCode, 200)
  assert.equal((await ask(boss, 'GET', `/v1/schedules/${schedule}`)).statusCode, 200)
  assert.equal((await ask(ann, 'GET', `/v1/jobs/${id}`)).json().state, 'waiting')
})

test('what is accepted while the queue is away is nothing, and says when to come again', async () => {
  const ann = await newUser()
  engine.broken = true

  const answer = await ask(ann, 'POST', '/v1/jobs', page('a'))
  engine.broken = false

  assert.equal(answer.statusCode, 503)
  assert.equal(answer.json().retry, 'later')
})

test('the priority, the delay and the attempts stand in the message', async () => {
  const ann = await newUser()
  await engine.lease('message_queue', { count: 1_000 })
  await ask(ann, 'POST', '/v1/jobs', page('a', { priority: 9, delayMs: 5, attemptsMax: 1 }))

  const [lease] = await engine.lease('message_queue', { count: 10 })
  const submission = lease && decodeSubmission(lease.record.value)

  assert.deepEqual(
    [submission?.priority, submission?.dueMs, submission?.attemptsMax],
    [9, clock.now() + 5, 1],
  )
})
