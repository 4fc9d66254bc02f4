import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createManualClock, seededRandom, silentLog } from '@drover/kernel'
import { Webhook } from 'standardwebhooks'
import { newId } from '../../src/api/job-id.ts'
import { callbackDefaults } from '../../src/callbacks/options.ts'
import { createSender } from '../../src/callbacks/sender.ts'
import type { Transport } from '../../src/fetching/transport.ts'
import { openStores } from '../../src/stores.ts'
import { until } from '../until.ts'

type Outgoing = Parameters<Transport['send']>[0]

const hourMs = 3_600_000

/** A sender over a store in memory and a clock of the test; `answer` gives the status of each call. */
async function startSender(
  t: TestContext,
  answer: (outgoing: Outgoing) => Promise<number> | number,
) {
  const clock = createManualClock(1_790_000_000_000)
  const stores = await openStores({ store: ':memory:', clock })
  const owner = await stores.accounts.register('me@example.org', 'secret')
  const calls: Outgoing[] = []
  const transport: Transport = {
    async send(outgoing, signal) {
      calls.push(outgoing)
      const ended = Promise.withResolvers<never>()
      signal.addEventListener('abort', () => ended.reject(signal.reason), { once: true })
      const status = await Promise.race([answer(outgoing), ended.promise])
      return { status, headers: {}, body: new Uint8Array() }
    },
    stop: async () => {},
  }
  const sender = createSender({
    ...{ clock, transport, random: seededRandom(1), log: silentLog, userAgent: 'Drover' },
    deliveries: stores.deliveries,
    options: { ...callbackDefaults, everyMs: 60_000 },
  })
  await sender.start()
  t.after(async () => {
    await sender.stop()
    await stores.close()
  })
  /** A job that has ended with a callback to `url`; returns the callback's id. */
  const endJob = async (url: string) => {
    const id = newId(clock.now())
    await stores.jobs.record([
      {
        ...{ id, ownerId: owner, userId: 'u', url: 'http://a.example/', type: 1, callbackUrl: url },
        ...{ addedMs: clock.now(), priority: 0, dueMs: 0, attemptsMax: 3, batchId: undefined },
      },
    ])
    await stores.claims.claimWaiting(1, 10, 1_000)
    const claimed = await stores.claims.begin(id, 1, 1_000)
    assert.ok(claimed)
    const ending = { kind: 'dead', code: 'PAGE_REFUSED', reason: 'no' } as const
    await stores.claims.finish(claimed, ending, { id: `${id}.1`, url, body: '{"a":1}' })
    return `${id}.1`
  }
  /** Lets the time pass until a callback has had so many attempts. */
  const attempts = async (id: string, count: number) =>
    until(`attempt ${count}`, async () => {
      const found = await stores.deliveries.delivery(id)
      // The store takes real time: a claim must not end while it notes what came of the call.
      if (found.state === 'delivering') return undefined
      if (found.attempts.length >= count) return found
      await clock.advance(Math.max(60_000, found.dueMs - clock.now()))
      return undefined
    })
  return { clock, stores, calls, endJob, attempts, owner, sender }
}

test('a receiver that is away is called for hours under one id, then given up, and can be replayed', async (t) => {
  let status = 500
  const { clock, stores, calls, endJob, attempts } = await startSender(t, () => status)
  const startMs = clock.now()

  const id = await endJob('http://me.example/hook')
  const failed = await attempts(id, 10)
  const tookMs = clock.now() - startMs
  await clock.advance(48 * hourMs)
  const later = await stores.deliveries.delivery(id)
  status = 200
  await stores.deliveries.replay(id)
  const replayed = await attempts(id, 11)

  assert.equal(failed.state, 'failed')
  assert.ok(tookMs > 8 * hourMs && tookMs < 24 * hourMs, `${tookMs}`)
  assert.equal(later.attempts.length, 10, 'nobody is called after the last attempt')
  assert.equal(replayed.state, 'delivered')
  assert.deepEqual(
    replayed.attempts.map((one) => one.status),
    [...Array.from({ length: 10 }, () => 500), 200],
  )
  assert.deepEqual(new Set(calls.map(({ headers }) => headers['webhook-id'])), new Set([id]))
})

test('a sender that stops hands back what it has not sent, and the attempt does not count', async (t) => {
  const { clock, stores, calls, endJob, sender } = await startSender(t, () => new Promise(() => {}))

  const id = await endJob('http://me.example/hook')
  await until('the call', async () => {
    await clock.advance(1_000)
    return calls.length > 0
  })
  await sender.stop()

  const left = await stores.deliveries.delivery(id)
  const [next] = await stores.deliveries.claimDue(10, 1_000)
  assert.deepEqual([left.state, left.attempt, left.attempts], ['pending', 0, []])
  assert.equal(next?.delivery.id, id)
})

test('a receiver that answers 410 is not called again', async (t) => {
  const { clock, stores, endJob, attempts } = await startSender(t, () => 410)

  const id = await endJob('http://me.example/hook')
  await attempts(id, 1)
  await clock.advance(48 * hourMs)
  const found = await stores.deliveries.delivery(id)

  assert.deepEqual([found.state, found.attempts.length], ['gone', 1])
})

test('callbacks are signed by the old secret, too, for as long as it is good', async (t) => {
  const { clock, stores, calls, endJob, attempts, owner } = await startSender(t, () => 204)
  const before = await stores.accounts.webhookSecret(owner)
  const after = await stores.accounts.rotateWebhookSecret(owner)
  const verifies = (secret: string, { headers, body }: Outgoing) => {
    const signatures = (headers['webhook-signature'] ?? '').split(' ')
    const time = new Date(Number(headers['webhook-timestamp']) * 1_000)
    return signatures.includes(
      new Webhook(secret).sign(headers['webhook-id'] ?? '', time, body ?? ''),
    )
  }

  await attempts(await endJob('http://me.example/1'), 1)
  await clock.advance(25 * hourMs)
  await attempts(await endJob('http://me.example/2'), 1)

  const seen = calls.map((call) => [verifies(after, call), verifies(before, call)])
  assert.deepEqual(seen, [
    [true, true],
    [true, false],
  ])
})

test('a receiver that never answers keeps nobody else from being called', async (t) => {
  const { stores, endJob, attempts } = await startSender(t, ({ url }) =>
    url.host === 'slow.example' ? new Promise<number>(() => {}) : 204,
  )
  for (let count = 0; count < 60; count++) await endJob('http://slow.example/')

  const id = await endJob('http://quick.example/')
  const found = await attempts(id, 1)

  assert.equal(found.state, 'delivered')
  assert.equal((await stores.deliveries.counts()).delivered, 1)
})

test('places at a receiver that refuse what they get do not close it for the others', async (t) => {
  const { stores, endJob, attempts } = await startSender(t, ({ url }) =>
    url.pathname === '/nobody' ? 404 : 204,
  )
  const refused: string[] = []
  for (let count = 0; count < 20; count++)
    refused.push(await endJob('http://shared.example/nobody'))
  for (const id of refused) await attempts(id, 1)

  const id = await endJob('http://shared.example/hook')
  const found = await attempts(id, 1)

  assert.equal(found.state, 'delivered')
  assert.equal((await stores.deliveries.counts()).delivered, 1)
})

test('many receivers that are away keep nobody else from being called, nor the sender from stopping', async (t) => {
  const { endJob, attempts } = await startSender(t, ({ url }) =>
    url.host.startsWith('away') ? new Promise<number>(() => {}) : 204,
  )
  for (let away = 0; away < 12; away++)
    for (let count = 0; count < 10; count++) await endJob(`http://away-${away}.example/`)

  const found = await attempts(await endJob('http://quick.example/'), 1)

  assert.equal(found.state, 'delivered')
})
