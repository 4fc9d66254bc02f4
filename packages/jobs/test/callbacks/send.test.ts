import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, test } from 'node:test'
import { createManualClock, Fault, seededRandom, silentLog, systemClock } from '@drover/kernel'
import { Webhook } from 'standardwebhooks'
import { callbackDefaults } from '../../src/callbacks/options.ts'
import { send } from '../../src/callbacks/send.ts'
import { nextOf } from '../../src/callbacks/sender.ts'
import { createGuard } from '../../src/fetching/guard.ts'
import { createTransport } from '../../src/fetching/transport.ts'
import { fetchDefaults } from '../../src/options.ts'
import type { ClaimedDelivery } from '../../src/store/delivery-store.ts'
import { startSite } from '../local-site.ts'
import { until } from '../until.ts'

const never = new AbortController().signal

const site = await startSite((request, response) => {
  const routes: Record<string, () => void> = {
    '/ok': () => response.end('fine'),
    '/gone': () => response.writeHead(410).end(),
    '/busy': () => response.writeHead(503, { 'retry-after': '90' }).end(),
    '/moved': () => response.writeHead(302, { location: '/ok' }).end(),
    '/flood': () => response.end(Buffer.alloc(1_000_000, 97)),
    '/drip': () => response.write('a'),
  }
  request.resume()
  routes[request.url ?? '']?.()
})
const transport = createTransport({
  ...fetchDefaults,
  guard: createGuard([`127.0.0.1:${site.port}`]),
  clock: systemClock,
})
after(async () => {
  await transport.stop()
  await site.close()
})
const tools = {
  transport,
  clock: systemClock,
  userAgent: 'Drover',
  options: callbackDefaults,
  log: silentLog,
}
const secrets = ['whsec_bmV3ZXIgc2VjcmV0', 'whsec_b2xkZXIgc2VjcmV0']
const deliveryTo = (url: string): ClaimedDelivery => ({
  delivery: {
    ...{ id: 'job.1', jobId: 'job', ownerId: 'o', url, body: '{"a":1}', state: 'delivering' },
    ...{ attempt: 1, dueMs: 0, createdMs: 0 },
  },
  claim: 'c',
  secrets,
})
const sendTo = (url: string) => send(tools, deliveryTo(url), new AbortController().signal)
const random = seededRandom(7)

test('a callback is signed by both secrets while they change', async () => {
  const outcome = await sendTo(`${site.origin}/ok`)

  const headers = site.requests.at(-1)?.headers as Record<string, string>
  assert.equal(outcome.fault, undefined)
  assert.equal(headers['webhook-id'], 'job.1')
  for (const secret of secrets) assert.ok(new Webhook(secret).verify('{"a":1}', headers))
})

test('redirects are not followed, and an answer is read in part', async () => {
  const seen = site.requests.length

  const moved = await sendTo(`${site.origin}/moved`)
  const flood = await sendTo(`${site.origin}/flood`)

  assert.equal(moved.fault?.code, 'CALLBACK_REFUSED')
  assert.equal(site.requests.length, seen + 2)
  assert.equal(flood.fault, undefined)
  assert.ok((flood.attempt.answer?.length ?? 0) <= 2_000)
})

for (const url of ['http://127.0.0.1:1/', 'http://[::ffff:10.0.0.1]/', 'http://169.254.169.254/'])
  test(`no callback goes to ${url}`, async () => {
    const outcome = await sendTo(url)

    assert.equal(outcome.fault?.code, 'ADDRESS_REFUSED')
    assert.equal(nextOf(callbackDefaults, 1, outcome, random).state, 'failed')
  })

test('410 ends it, and a receiver that names its wait gets it', async () => {
  const gone = await sendTo(`${site.origin}/gone`)
  const busy = await sendTo(`${site.origin}/busy`)

  assert.equal(nextOf(callbackDefaults, 1, gone, random).state, 'gone')
  assert.deepEqual(nextOf(callbackDefaults, 1, busy, random), { state: 'pending', waitMs: 90_000 })
})

test('a receiver whose answer does not end is given up, and its attempt is told', async () => {
  const clock = createManualClock()
  const seen = site.requests.length
  const running = send({ ...tools, clock }, deliveryTo(`${site.origin}/drip`), never)
  await until('the call', () => site.requests.length > seen)

  await clock.advance(callbackDefaults.attemptMs)
  const outcome = await running

  assert.equal(outcome.fault?.code, 'FETCH_TIMEOUT')
  assert.match(outcome.attempt.error ?? '', /longer than 15000 ms/)
  assert.equal(nextOf(callbackDefaults, 1, outcome, random).state, 'pending')
})

test('a callback is one request of JSON, and its time that of the attempt', async () => {
  const clock = createManualClock(1_790_000_000_900)

  await send({ ...tools, clock }, deliveryTo(`${site.origin}/ok`), never)

  const { method, headers } = site.requests.at(-1) ?? {}
  const { 'webhook-timestamp': timestamp, 'webhook-signature': signature } = headers ?? {}
  assert.deepEqual(
    [method, headers?.['content-type'], headers?.['content-length'], timestamp],
    ['POST', 'application/json', '7', '1790000000'],
  )
  const keys = secrets.map((secret) => Buffer.from(secret.slice(6), 'base64'))
  const wanted = keys.map(
    (key) => `v1,${createHmac('sha256', key).update('job.1.1790000000.{"a":1}').digest('base64')}`,
  )
  assert.equal(signature, wanted.join(' '))
})

for (const url of ['http://me:secret@a.example/', 'ftp://a.example/', 'nothing'])
  test(`a callback to ${url} has failed for good`, async () => {
    const outcome = await sendTo(url)

    assert.equal(nextOf(callbackDefaults, 1, outcome, random).state, 'failed')
  })

test('attempts go on for hours, each wait drawn, and then end', () => {
  const fault = new Fault('CALLBACK_REFUSED', { status: 502, retry: 'later' }, 'no')
  let sumMs = 0
  let attempt = 1
  for (; attempt < 100; attempt++) {
    const { state, waitMs } = nextOf(
      callbackDefaults,
      attempt,
      { fault, waitMs: undefined },
      random,
    )
    if (state === 'failed') break
    const ownMs = callbackDefaults.waitsMs[attempt - 1] ?? 0
    assert.ok(waitMs >= ownMs * 0.8 && waitMs <= ownMs * 1.2)
    sumMs += waitMs
  }

  assert.equal(attempt, 10)
  assert.ok(sumMs > 8 * 3_600_000)
})
