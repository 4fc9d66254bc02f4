import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Fault, seededRandom, silentLog, systemClock } from '@drover/kernel'
import { Webhook } from 'standardwebhooks'
import { callbackDefaults } from '../../src/callbacks/options.ts'
import { send } from '../../src/callbacks/send.ts'
import { nextOf } from '../../src/callbacks/sender.ts'
import { createGuard } from '../../src/fetching/guard.ts'
import { createTransport } from '../../src/fetching/transport.ts'
import { fetchDefaults } from '../../src/options.ts'
import type { ClaimedDelivery } from '../../src/store/delivery-store.ts'
import { startSite } from '../local-site.ts'

const site = await startSite((request, response) => {
  const routes: Record<string, () => void> = {
    '/ok': () => response.end('fine'),
    '/gone': () => response.writeHead(410).end(),
    '/busy': () => response.writeHead(503, { 'retry-after': '90' }).end(),
    '/moved': () => response.writeHead(302, { location: '/ok' }).end(),
    '/flood': () => response.end(Buffer.alloc(1_000_000, 97)),
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
