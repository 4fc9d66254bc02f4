import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type Clock, systemClock } from '@drover/kernel'
import { JobsClient } from '../../src/client.ts'
import { readEvents, type ServerEvent } from '../../src/events.ts'
import type { Submission } from '../../src/job.ts'
import { decodeSubmission } from '../../src/pipeline/wire.ts'
import { replicaOf, type User } from './replica-of.ts'

const replica = await replicaOf({ after }, { api: { watchEveryMs: 5, watchersPerAccountMax: 2 } })
const { ask, stores, server } = replica
const url = await server.listen({ port: 0, host: '127.0.0.1' })
let users = 0
const newUser = () => replica.user(`user${users++}@example.org`)
const jobs = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ url: `http://site.example/${index}`, type: 1 }))

async function submit(user: User, count: number): Promise<{ batch: string; ids: string[] }> {
  const answer = await ask(user, 'POST', '/v1/batches', { jobs: jobs(count) })
  await replica.record()
  return answer.json()
}

/** Reads a watch until `enough` says so; leaves it then. */
async function watch(
  user: User,
  query: string,
  enough: (events: readonly ServerEvent[]) => boolean,
  headers: Record<string, string> = {},
): Promise<readonly ServerEvent[]> {
  const answer = await fetch(`${url}/v1/jobs/watch${query}`, {
    headers: { authorization: `Bearer ${user.token}`, ...headers },
    signal: AbortSignal.timeout(30_000),
  })
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('content-type'), 'text/event-stream')
  const events: ServerEvent[] = []
  for await (const event of readEvents(answer.body ?? new ReadableStream())) {
    events.push(event)
    if (enough(events)) break
  }
  return events
}

/** Runs a thousand times as fast. */
const quick: Clock = {
  ...systemClock,
  monotonic: () => systemClock.monotonic() * 1_000,
}

const jobOf = ({ data }: ServerEvent) => JSON.parse(data) as { id: string; state: string }
const idsOf = (events: readonly ServerEvent[]) => new Set(events.map((event) => jobOf(event).id))

test('a batch is told of whole, though it came in one moment, and to its end', async () => {
  const ann = await newUser()
  const { batch } = await submit(ann, 700)

  const first = await watch(ann, `?batch=${batch}`, (events) => idsOf(events).size === 700)
  await stores.jobs.cancelBatch(batch)
  const all = await watch(ann, `?batch=${batch}`, (events) => events.at(-1)?.event === 'end')

  assert.ok(first.every((event) => jobOf(event).state === 'waiting'))
  assert.equal(all.length, 701)
})

for (const way of ['header', 'query'] as const)
  test(`a watch goes on where an earlier one ended, by ${way}`, async () => {
    const ann = await newUser()
    const { batch, ids } = await submit(ann, 1)
    const [first] = await watch(ann, `?batch=${batch}`, () => true)
    // Two changes while nobody watches.
    await stores.jobs.cancel(ids[0] ?? '')
    const later = await submit(ann, 1)
    const id = first?.id ?? ''

    const isThere = (events: readonly ServerEvent[]) => idsOf(events).size === 2
    const events = await (way === 'header'
      ? watch(ann, '', isThere, { 'last-event-id': id })
      : watch(ann, `?after=${encodeURIComponent(id)}`, isThere))

    assert.deepEqual([...idsOf(events)].toSorted(), [...ids, ...later.ids].toSorted())
  })

test('an admin watches what everybody has, a user what is his', async () => {
  const [ann, bob] = [await newUser(), await newUser()]
  const boss = await replica.user('boss@example.org', 'admin')
  const [first] = await Promise.all([submit(ann, 1)])
  const other = await submit(bob, 1)
  const wanted = [...first.ids, ...other.ids]
  const after = `?after=${(await stores.jobs.job(first.ids[0] ?? '')).updatedMs}~0`

  const all = await watch(boss, after, (events) => wanted.every((id) => idsOf(events).has(id)))
  const own = await watch(bob, after, () => true)

  assert.ok(idsOf(all).size >= 2)
  assert.deepEqual([...idsOf(own)], other.ids)
  const foreign = await ask(bob, 'GET', `/v1/jobs?batch=${first.batch}`)
  assert.deepEqual(foreign.json().jobs, [])
})

test('a watch ends when its token does, or when an admin is one no more', async () => {
  const own = await replicaOf({ after }, { api: { watchEveryMs: 5 }, clock: quick })
  const at = await own.server.listen({ port: 0, host: '127.0.0.1' })
  const [ann, boss] = [await own.user('a@example.org'), await own.user('b@example.org', 'admin')]
  const { accounts } = own.stores
  const open = async ({ token }: User) => {
    const headers = { authorization: `Bearer ${token}` }
    const signal = AbortSignal.timeout(30_000)
    return fetch(`${at}/v1/jobs/watch`, { headers, signal })
  }
  const watches = [await open(ann), await open(boss)]

  await accounts.tokens.revoke(await accounts.tokens.identify(ann.token))
  await accounts.setRole(boss.id, 'user')

  for (const answer of watches) assert.doesNotMatch(await answer.text(), /data:/)
})

test('one account keeps so many watches open and no more; a closed one makes room', async () => {
  const ann = await newUser()
  const headers = { authorization: `Bearer ${ann.token}` }
  const open = async () => {
    const control = new AbortController()
    const answer = await fetch(`${url}/v1/jobs/watch`, { headers, signal: control.signal })
    return { answer, control }
  }

  const [one, two, three] = [await open(), await open(), await open()]
  one.control.abort()
  let status = 503
  for (let tries = 0; status === 503 && tries < 200; tries++) {
    const next = await open()
    status = next.answer.status
    next.control.abort()
  }
  two.control.abort()

  assert.deepEqual([one.answer.status, two.answer.status, three.answer.status], [200, 200, 503])
  assert.equal(status, 200)
})

test('the client goes on with its watch when the connection breaks', async () => {
  const ann = await newUser()
  const { batch, ids } = await submit(ann, 2)
  const client = new JobsClient({ url, token: ann.token })
  const states: string[] = []

  for await (const job of client.watch(batch)) {
    states.push(job.state)
    if (states.length !== 2) continue
    server.server.closeAllConnections()
    for (const id of ids) await stores.jobs.cancel(id)
  }

  assert.deepEqual(states.slice(0, 2), ['waiting', 'waiting'])
  assert.deepEqual(states.slice(-2), ['cancelled', 'cancelled'])
})

test('the client waits for the part of a batch that the store gets when the first has ended', async () => {
  const ann = await newUser()
  const made = await ask(ann, 'POST', '/v1/batches', { jobs: jobs(4) })
  const leases = await replica.engine.lease('message_queue', { count: 10 })
  const [one, two, ...rest] = leases.flatMap(({ record }) => decodeSubmission(record.value) ?? [])
  const end = async (part: readonly (Submission | undefined)[]) => {
    const there = part.filter((job) => job !== undefined)
    await stores.jobs.record(there)
    for (const { id } of there) await stores.jobs.cancel(id)
  }
  await end([one, two])
  const client = new JobsClient({ url, token: ann.token })
  const told = new Set<string>()

  for await (const { id } of client.watch(made.json().batch, 4)) {
    told.add(id)
    if (told.size === 2) await end(rest)
  }
  await replica.engine.ack(leases.map(({ token }) => token))

  assert.deepEqual([...told].toSorted(), made.json().ids.toSorted())
})

test('the client gets a new token when its own is over', async () => {
  const { email } = await newUser()
  const pair = await JobsClient.login(url, email, 'secret')
  const kept: string[] = []
  const client = new JobsClient({
    ...{ url, token: 'over', refreshToken: pair.refreshToken },
    renew: async (token, refresh) => {
      const tokens = await refresh(token)
      kept.push(tokens.refreshToken)
      return tokens
    },
  })

  const found = await Promise.all([client.list({}), client.list({})])

  assert.deepEqual(found, [[], []])
  assert.equal(kept.length, 1)
  await assert.rejects(JobsClient.login(url, email, 'wrong'), { code: 'LOGIN_FAILED' })
})
