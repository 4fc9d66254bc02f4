import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../until.ts'
import { ask } from './client.ts'
import { planOf } from './plans.ts'
import { type EngineSubject, plansOf, replicas, run, spread } from './running.ts'

/** What becomes of requests when replicas fail, are slow, or are not there. */
export function failingSuite(subject: EngineSubject): void {
  test('asks another replica where one is dead, and tells of it', async (t) => {
    const list = await replicas(t, 'a', 'b', 'c')
    const { port, events } = await run(t, subject, planOf(plansOf(list)))
    await list[1]?.stop()

    const counts = await spread(port, 30)

    assert.equal(counts.b, undefined)
    await until('the failure is told', () =>
      events.some(
        (event) => event.kind === 'failed' && event.replica === 'web/b' && event.refused === true,
      ),
    )
  })

  test('answers 503 with Retry-After where there is no replica, as the service wants it', async (t) => {
    const none = await run(t, subject, planOf([]))
    const answer = await ask(none.port, '/')
    assert.equal(answer.status, 503)
    assert.equal(answer.headers['retry-after'], '1')
    assert.equal(JSON.parse(answer.body).code, 'NO_REPLICA')

    const own = await run(
      t,
      subject,
      planOf([], {
        answers: [
          {
            code: 'NO_REPLICA',
            with: { status: 500, contentType: 'text/html', body: '<b>$gone %d {code}</b>' },
          },
        ],
      }),
    )

    const other = await ask(own.port, '/')
    assert.equal(other.status, 500)
    assert.equal(other.body, '<b>$gone %d NO_REPLICA</b>')
    assert.match(String(other.headers['content-type']), /^text\/html/)
  })

  test("puts an answer in place of a replica's by its status, and leaves the others", async (t) => {
    const list = await replicas(t, 'a')
    const answers = [
      { status: 404, with: { status: 400, contentType: 'text/plain', body: 'not "here"' } },
    ]
    const { port } = await run(t, subject, planOf(plansOf(list), { answers }))

    const replaced = await ask(port, '/status/404')
    const passed = await ask(port, '/status/503')

    assert.equal(replaced.status, 400)
    assert.equal(replaced.body, 'not "here"')
    assert.equal(passed.status, 503)
    assert.equal(passed.body, 'replica says 503')
  })

  test('gives up on a replica that does not answer in time', async (t) => {
    const list = await replicas(t, 'a')
    const timeouts = { connectMs: 1_000, firstByteMs: 300, responseMs: 0, keepAliveMs: 4_000 }
    const { port, events } = await run(t, subject, planOf(plansOf(list), { timeouts }))

    const { status, body } = await ask(port, '/hold')

    assert.equal(status, 504)
    assert.equal(JSON.parse(body).code, 'REPLICA_TIMEOUT')
    assert.equal(list[0]?.held, 1)
    await until('the failure is told', () => events.some(({ kind }) => kind === 'failed'))
    events.length = 0
    assert.equal((await ask(port, '/')).status, 200)
    await until('the end of the failures is told', () =>
      events.some(({ kind }) => kind === 'answered'),
    )
  })

  test('limits the rate of one client', async (t) => {
    const list = await replicas(t, 'a')
    const rateLimit = { perSecond: 1, burst: 5 }
    const { port } = await run(t, subject, planOf(plansOf(list), { rateLimit }))

    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(port, '/')))

    const limited = answers.filter(({ status }) => status === 429)
    assert.ok(limited.length >= 13 && limited.length <= 15, `${limited.length} of 20`)
    assert.equal(limited[0]?.headers['retry-after'], '1')
    assert.equal(JSON.parse(limited[0]?.body ?? '').code, 'RATE_LIMITED')
  })
}
