import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import type { Job } from '../../src/job.ts'
import type { Delivery } from '../../src/store/delivery-store.ts'
import { type Evidence, findViolations } from './checker.ts'
import { pageKinds } from './pages.ts'
import { pageOf } from './site.ts'

const origin = 'http://127.0.0.1:1'
const secret = 'whsec_dGhlIHNlY3JldCBvZiBhIHRlc3Q='
const kindAt = (name: string) => pageKinds.findIndex((kind) => kind.name === name)

/** A job of page number `index`, how it ended, and its callback. */
function endJob(index: number, end: Partial<Job>, content = '') {
  const id = `job-${index}`
  const job = {
    ...{ id, userId: 'u', url: pageOf(index, origin).url, type: (index % 3) + 1, run: 1 },
    ...{ callbackUrl: `${origin}/called`, contentHash: id },
    result: { bytes: Buffer.byteLength(content), facts: {} },
    ...end,
  } as Job
  const reason = job.reasonCode === undefined ? {} : { reason: { code: job.reasonCode } }
  const body = JSON.stringify({
    ...{ user_id: job.userId, status: job.state },
    data: { id, url: job.url, type: job.type, result: job.result, ...reason },
  })
  const delivery = { id: `${id}.1`, state: 'delivered' } as Delivery
  const signature = new Webhook(secret).sign(delivery.id, new Date(1_000_000), body)
  return { job, delivery, call: { id: delivery.id, body, timestamp: 1_000, signature }, content }
}

/** One job of type 2 that read a plain page, and one that a missing page ended. */
function evidenceOf(changes: (all: Parts) => Partial<Evidence> = () => ({})): Evidence {
  const missing = kindAt('missing')
  const html = pageKinds[kindAt('plain')]?.html
  const plain = [0, 1, 2].map((round) => round * pageKinds.length).find((index) => index % 3 === 1)
  const index = plain ?? 0
  const ends = [
    endJob(index, { state: 'done' }, html?.(pageOf(index, origin).number)),
    endJob(missing, {
      state: 'dead',
      reasonCode: 'PAGE_REFUSED',
      reason: 'answered 404',
      result: undefined,
    }),
  ] as const
  const parts = {
    accepted: ends.map(({ job }, at) => ({ id: job.id, index: at === 0 ? index : missing })),
    jobs: ends.map(({ job }) => job),
    deliveries: ends.map(({ delivery }) => delivery),
    calls: ends.map(({ call }) => call),
    contents: new Map(ends.map(({ job, content }) => [job.id, content])),
  }
  const rest = { origin, secret, logs: '', secrets: ['hush'], crashes: [] }
  return { ...parts, ...rest, ...changes(parts) }
}

type Parts = Pick<Evidence, 'accepted' | 'jobs' | 'deliveries' | 'calls' | 'contents'>

/** Returns `items` with the one at `at` changed. */
const change = <Item>(items: readonly Item[], at: number, changed: Partial<Item>): Item[] =>
  items.map((item, index) => (index === at ? { ...item, ...changed } : item))

test('evidence of a storm that went well shows nothing', () => {
  assert.deepEqual(findViolations(evidenceOf()), [])
})

const wrongs: Record<string, (all: Parts) => Partial<Evidence>> = {
  'a lost job': ({ jobs, calls }) => ({ jobs: jobs.slice(1), calls: calls.slice(1) }),
  'an id that was given twice': ({ accepted }) => ({ accepted: [...accepted, ...accepted] }),
  'a job that is there twice': ({ jobs }) => ({ jobs: [...jobs, ...jobs] }),
  'a batch that was taken twice': ({ accepted }) => ({ accepted: accepted.slice(1) }),
  'a job for another page': ({ jobs }) => ({ jobs: change(jobs, 0, { url: `${origin}/slow/0` }) }),
  'a job of another type': ({ jobs }) => ({ jobs: change(jobs, 0, { type: 3 }) }),
  'a job on its way': ({ jobs }) => ({ jobs: change(jobs, 0, { state: 'waiting' }) }),
  'a job done without a result': ({ jobs }) => ({
    jobs: change(jobs, 0, { contentHash: undefined }),
  }),
  'a job dead without a reason': ({ jobs }) => ({ jobs: change(jobs, 1, { reason: '' }) }),
  'a job dead for a wrong reason': ({ jobs }) => ({
    jobs: change(jobs, 1, { reasonCode: 'HOST_BUSY' }),
  }),
  'a good page that is not had': ({ jobs }) => ({
    jobs: change(jobs, 0, { state: 'dead', reasonCode: 'PAGE_REFUSED', reason: 'no' }),
  }),
  'many jobs that the storm ended': ({ jobs }) => ({
    jobs: jobs.map((job) => ({ ...job, state: 'dead', reasonCode: 'WORKERS_DIED', reason: 'no' })),
  }),
  'a result of another page': ({ contents }) => ({
    contents: new Map(
      [...contents].map(([id, text]) => [id, text.replace('mark-plain', 'mark-slow')]),
    ),
  }),
  'half a result': ({ contents }) => ({
    contents: new Map([...contents].map(([id, text]) => [id, text.slice(0, -9)])),
  }),
  'a missing callback': ({ calls }) => ({ calls: calls.slice(1) }),
  'a callback of nobody': ({ calls }) => ({
    calls: [...calls, { ...calls[0], id: 'x.1' } as never],
  }),
  'callbacks that differ': ({ calls }) => ({
    calls: [...calls, { ...calls[0], body: '{}' } as never],
  }),
  'a callback that says something else': ({ calls }) => ({
    calls: change(calls, 1, { body: calls[1]?.body.replace('PAGE_REFUSED', 'HOST_BUSY') ?? '' }),
  }),
  'a signature for another time': ({ calls }) => ({
    calls: change(calls, 0, { timestamp: 1_001 }),
  }),
  'a callback on its way': ({ deliveries }) => ({
    deliveries: change(deliveries, 0, { state: 'pending' }),
  }),
  'a crash': () => ({ crashes: ['worker-1 ended with 1'] }),
  'a secret in a log': () => ({ logs: 'said hush' }),
}
for (const [what, changes] of Object.entries(wrongs))
  test(`evidence of ${what} is found`, () => {
    assert.notDeepEqual(findViolations(evidenceOf(changes)), [])
  })
