import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { silentLog, systemClock, systemRandom } from '@drover/kernel'
import { Webhook } from 'standardwebhooks'
import { createPipeline, type Role, roles } from '../../src/pipeline.ts'
import { createReplica } from '../../src/replica.ts'
import { openStores } from '../../src/stores.ts'
import { startSite } from '../local-site.ts'
import { createMemoryEngine } from '../memory-engine.ts'
import { until } from '../until.ts'

interface Callback {
  readonly headers: Record<string, string>
  readonly body: string
}

const callbacks: Callback[] = []
let failuresLeft = 2
let hits = 0
const site = await startSite((request, response) => {
  const path = request.url ?? ''
  if (request.method === 'POST') {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const headers = request.headers as Record<string, string>
      callbacks.push({ headers, body: Buffer.concat(parts).toString() })
      response.end('thanks')
    })
  } else if (path === '/robots.txt') response.writeHead(404).end()
  else if (path === '/gone') response.writeHead(404).end()
  else if (path === '/flaky' && failuresLeft-- > 0) response.writeHead(500).end()
  else {
    hits++
    response.writeHead(200, { 'content-type': 'text/html', etag: '"1"' })
    response.end('<title>T</title><p>hello <a href="http://www.other.org/">other</a></p>')
  }
})

const folder = mkdtempSync(join(tmpdir(), 'drover-jobs-'))
const parts = {
  stores: await openStores({ store: join(folder, 'jobs.sqlite'), clock: systemClock }),
  engine: createMemoryEngine(systemClock),
  clock: systemClock,
  random: systemRandom,
  log: silentLog,
  fetching: { allow: [`127.0.0.1:${site.port}`], hostDelayMs: 0, hostConcurrency: 8 },
  pipeline: { retryFirstMs: 20, retryMostMs: 50, sweepEveryMs: 20 },
  callbacks: { everyMs: 10 },
}
const server = await createReplica(parts)

/** Starts steps that stop with the test at the latest. */
async function startSteps(context: TestContext, wanted: readonly Role[] = roles) {
  const steps = createPipeline({ ...parts, roles: wanted })
  context.after(() => steps.stop())
  await steps.start()
  return steps
}

after(async () => {
  await server.close()
  await parts.stores.close()
  await site.close()
  rmSync(folder, { recursive: true })
})

let accounts = 0
async function newUser() {
  const email = `user${accounts++}@example.org`
  const id = await parts.stores.accounts.register(email, 'secret')
  const token = await parts.stores.accounts.tokens.issue(id)
  const call = (method: 'GET' | 'POST', url: string, payload?: object, more = {}) =>
    server.inject({
      method,
      url,
      headers: { authorization: `Bearer ${token}`, ...more },
      ...(payload ? { payload } : {}),
    })
  return { id, call }
}
const ended = (id: string) =>
  until(`the end of ${id}`, async () => {
    const job = await parts.stores.jobs.job(id).catch(() => undefined)
    return job && ['done', 'dead'].includes(job.state) ? job : undefined
  })

test('a job goes from its submission to its result and its signed callback', async (t) => {
  const all = await startSteps(t)
  const { id: userId, call } = await newUser()
  const payload = {
    user_id: 'u1',
    request_url: `${site.origin}/page`,
    type: 1,
    callback_url: `${site.origin}/done`,
  }

  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
  const submitted = await call('POST', '/receive_data', payload, { traceparent })
  const { job: id } = submitted.json().data
  const job = await ended(id)
  const callback = await until('the callback', () =>
    callbacks.find(({ headers }) => headers['webhook-id'] === `${id}.1`),
  )
  const result = await call('GET', `/v1/jobs/${id}/result`)
  const delivery = await until('the note of it', async () => {
    const found = await parts.stores.deliveries.delivery(`${id}.1`)
    return found.state === 'delivered' ? found : undefined
  })

  await all.stop()
  assert.equal(job.state, 'done')
  assert.equal(job.result?.facts.title, 'T')
  assert.equal(result.body, 'hello other')
  assert.equal(result.headers['content-type'], 'text/plain; charset=utf-8')
  assert.match(callback.body, /^\{"user_id":"u1","status":"done",/)
  const secret = await parts.stores.accounts.webhookSecret(userId)
  assert.equal(callback.headers.traceparent, traceparent)
  assert.ok(new Webhook(secret).verify(callback.body, callback.headers))
  assert.deepEqual([delivery.attempts[0]?.status, delivery.attempts[0]?.answer], [200, 'thanks'])
})

test('each step may be dead while the one before works, and nothing is lost', async (t) => {
  const { call } = await newUser()
  const ids: string[] = []
  for (let type = 1; type <= 3; type++) {
    const payload = { url: `${site.origin}/step`, type, callbackUrl: `${site.origin}/done` }
    ids.push((await call('POST', '/v1/jobs', payload)).json().id)
  }
  const stateOf = async (id: string) =>
    (await parts.stores.jobs.job(id).catch(() => undefined))?.state
  const reached = (state: string) =>
    until(state, async () => (await Promise.all(ids.map(stateOf))).every((one) => one === state))

  for (const [role, state] of [
    ['recorder', 'waiting'],
    ['publisher', 'queued'],
    ['worker', 'done'],
  ] as const) {
    const step = await startSteps(t, [role])
    await reached(state)
    await step.stop()
  }
  const sender = await startSteps(t, ['sender'])
  const sent = await until('the callbacks', () => {
    const seen = new Set(callbacks.map(({ headers }) => headers['webhook-id']))
    return ids.every((id) => seen.has(`${id}.1`))
  })
  await sender.stop()

  assert.ok(sent)
})

test('a page that fails at first is tried again, one that is gone ends dead with its reason', async (t) => {
  const all = await startSteps(t)
  const { call } = await newUser()
  const submit = async (path: string) =>
    (await call('POST', '/v1/jobs', { url: `${site.origin}${path}`, type: 2 })).json().id

  const [flaky, gone] = [await submit('/flaky'), await submit('/gone')]
  const metadata = (
    await call('POST', '/v1/jobs', { url: 'http://169.254.169.254/', type: 2 })
  ).json().id
  const jobs = await Promise.all([flaky, gone, metadata].map(ended))

  await all.stop()
  assert.deepEqual(
    jobs.map(({ state, attempt, reasonCode }) => [state, attempt, reasonCode]),
    [
      ['done', 3, undefined],
      ['dead', 1, 'PAGE_REFUSED'],
      ['dead', 1, 'ADDRESS_REFUSED'],
    ],
  )
})

test('a batch is submitted once by its key, listed by page, watched to its end', async (t) => {
  const all = await startSteps(t)
  const { call } = await newUser()
  const jobs = Array.from({ length: 25 }, (_, index) => ({
    url: `${site.origin}/batch/${index % 5}`,
    type: (index % 3) + 1,
  }))
  const key = { 'idempotency-key': 'k1' }

  const first = await call('POST', '/v1/batches', { jobs }, key)
  const { batch, ids } = first.json()
  await Promise.all(ids.map(ended))
  const second = await call('POST', '/v1/batches', { jobs }, key)
  const other = await call('POST', '/v1/batches', { jobs: jobs.toReversed() }, key)
  const watched = await call('GET', `/v1/jobs/watch?batch=${batch}`)
  const listed: string[] = []
  for (let after = ''; ; ) {
    const page = (await call('GET', `/v1/jobs?batch=${batch}&limit=10${after}`)).json()
    listed.push(...page.jobs.map(({ id }: { id: string }) => id))
    if (page.next === undefined) break
    after = `&after=${encodeURIComponent(page.next)}`
  }

  await all.stop()
  assert.equal(first.statusCode, 202)
  assert.deepEqual(second.json(), { batch, ids })
  assert.equal(other.json().code, 'KEY_REUSED')
  assert.equal(watched.body.match(/^event: job$/gm)?.length, 25)
  assert.match(watched.body, /event: end\n/)
  assert.deepEqual(listed.toSorted(), ids.toSorted())
})

test('a job is seen and touched by its owner and an admin only', async (t) => {
  const [owner, stranger] = [await newUser(), await newUser()]
  const adminId = await parts.stores.accounts.register('admin@example.org', 'secret', 'admin')
  const token = await parts.stores.accounts.tokens.issue(adminId)
  const url = `${site.origin}/private`
  const { id } = (await owner.call('POST', '/v1/jobs', { url, type: 2 })).json()
  const recorder = await startSteps(t, ['recorder'])
  await until('the record', () => parts.stores.jobs.job(id).catch(() => undefined))
  await recorder.stop()

  const answers = await Promise.all([
    stranger.call('GET', `/v1/jobs/${id}`),
    stranger.call('GET', `/v1/jobs/${id}/result`),
    stranger.call('POST', `/v1/jobs/${id}/cancel`),
    stranger.call('POST', `/v1/jobs/${id}/retry`),
  ])
  const seen = await server.inject({
    url: `/v1/jobs/${id}`,
    headers: { authorization: `Bearer ${token}` },
  })
  const list = await stranger.call('GET', '/v1/jobs')
  const cancelled = await owner.call('POST', `/v1/jobs/${id}/cancel`)

  assert.deepEqual(new Set(answers.map(({ statusCode }) => statusCode)), new Set([404]))
  assert.equal(seen.json().id, id)
  assert.deepEqual(list.json().jobs, [])
  assert.equal(cancelled.json().state, 'cancelled')
})

test('one account with a thousand jobs does not keep another waiting', async (t) => {
  const [busy, small] = [await newUser(), await newUser()]
  const jobs = Array.from({ length: 1_000 }, () => ({ url: `${site.origin}/many`, type: 3 }))
  await busy.call('POST', '/v1/batches', { jobs })
  const url = `${site.origin}/one`
  const { id } = (await small.call('POST', '/v1/jobs', { url, type: 3 })).json()
  const recorder = await startSteps(t, ['recorder'])
  await until('the record', () => parts.stores.jobs.job(id).catch(() => undefined))
  await recorder.stop()

  const claimed = await parts.stores.claims.claimWaiting(3, 10, 1)

  assert.ok(claimed.some((job) => job.id === id))
  assert.ok(hits > 0)
})
