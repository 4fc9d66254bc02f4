import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLog } from '@drover/kernel'
import { Webhook } from 'standardwebhooks'
import { JobsClient } from '../src/client.ts'
import { type Part, type RunningJobs, roles, startJobs } from '../src/index.ts'
import { startReceiver } from './receiver.ts'
import type { ForeignServer } from './servers/foreign-server.ts'
import { until } from './until.ts'

/** What the service runs on; without a server it runs on its own. */
interface Ground {
  readonly queue?: ForeignServer
  readonly store?: ForeignServer
}

const admin = { email: 'boss@example.org', password: 'secret' }
const jobCount = 60
const deadlineMs = 90_000

/**
 * The life of jobs over `ground`: submitted while only the API runs, kept while its servers are ended
 * and started, done while each step and each server is ended and started again, called back.
 */
export function testWholeLife(name: string, prepare: () => Promise<Ground>): void {
  test(`${name}: the whole life of jobs`, { timeout: 240_000 }, async (t) => {
    const ground = await prepare()
    const data = mkdtempSync(join(tmpdir(), 'drover-life-'))
    const receiver = await startReceiver((path) => `<p>page ${path} <a href="http://a.example/">`)
    const running = new Map<Part, RunningJobs>()
    const servers = [ground.store, ground.queue].filter((server) => server !== undefined)
    t.after(async () => {
      await Promise.all([...running.values()].map((part) => part.stop()))
      await Promise.all([receiver.close(), ...servers.map((server) => server.close())])
      rmSync(data, { recursive: true, force: true })
    })
    for (const server of servers) await server.start()
    const start = async (part: Part) => {
      const found = await eventually(() => startPart(part, data, receiver.port, ground))
      running.set(part, found)
      return found
    }
    const api = await start('api')
    const client = await connect(api.url)

    const urls = Array.from({ length: jobCount }, (_, index) => `${receiver.origin}/${index}`)
    const batches = []
    for (const type of [1, 2, 3])
      batches.push(await client.submit(urls, { type, callbackUrl: `${receiver.origin}/called` }))
    const token = await tokenOf(api.url)
    await receive(api.url, token, receiver.origin)
    await ground.store?.end('SIGKILL')
    // The store is away, or there is none that could be: requests go into the queue all the same.
    const late = await receive(api.url, token, receiver.origin)
    const ids = [...batches.flatMap((batch) => batch.ids), late]
    await renew(servers)
    for (const role of roles) await start(role)
    await until('some callbacks', () => receiver.calls.length > 20, deadlineMs)
    await renew(servers)
    for (const role of roles) {
      await running.get(role)?.stop()
      await start(role)
    }
    const missing = () => ids.filter((id) => !receiver.bodies.has(`${id}.1`))
    await until(`the callbacks of all ${ids.length}`, () => missing().length === 0, deadlineMs)
    const listed = await eventually(() => client.list({ limit: '500' }))
    const text = await client.result(batches[0]?.ids[7] ?? '')
    const domains = await client.result(batches[2]?.ids[7] ?? '')
    const secret = await secretOf(api.url)

    assert.equal(new Set(ids).size, jobCount * 3 + 1)
    assert.deepEqual(
      listed.filter(({ state }) => state !== 'done'),
      [],
    )
    assert.equal(listed.length, ids.length + 1)
    assert.equal(Buffer.from(text).toString(), 'page /7')
    assert.match(Buffer.from(domains).toString(), /"domain":"a\.example","count":1/)
    for (const { headers, body } of receiver.calls)
      assert.ok(new Webhook(secret).verify(body, headers))
  })
}

/** Kills servers and starts them again over what they have on disk. */
async function renew(servers: readonly ForeignServer[]): Promise<void> {
  for (const server of servers) {
    await server.end('SIGKILL')
    await server.start()
  }
}

function startPart(part: Part, data: string, allowedPort: number, { store, queue }: Ground) {
  return startJobs({
    ...{ parts: [part], listen: '127.0.0.1:0', data, admin, log: silentLog },
    ...(store ? { store: store.url } : {}),
    ...(queue ? { queue: queue.url } : {}),
    ...{ allow: [`127.0.0.1:${allowedPort}`], fetching: { hostDelayMs: 0, robots: false } },
    pipeline: { claimMs: 2_000, sweepEveryMs: 100, lostMs: 3_000, retryFirstMs: 50 },
    callbacks: { waitsMs: Array.from({ length: 20 }, () => 100) },
  })
}

async function tokenOf(url: string): Promise<string> {
  const body = new URLSearchParams({ username: admin.email, password: admin.password })
  const login = await fetch(new URL('/token', url), { method: 'POST', body })
  return ((await login.json()) as { access_token: string }).access_token
}

/** Submits one job by the course's request, and returns its id. */
async function receive(url: string, token: string, origin: string): Promise<string> {
  const answer = await fetch(`${url}/receive_data`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{ user_id: 1, request_url: `${origin}/late`, type: 2, callback_url: `${origin}/called` },
    }),
  })
  assert.equal(answer.status, 200, await answer.clone().text())
  return ((await answer.json()) as { data: { job: string } }).data.job
}

async function connect(url: string): Promise<JobsClient> {
  return new JobsClient({ url, token: await tokenOf(url) })
}

async function secretOf(url: string): Promise<string> {
  const headers = { authorization: `Bearer ${await tokenOf(url)}` }
  const answer = await fetch(new URL('/v1/me/webhook-secret', url), { headers })
  return ((await answer.json()) as { secret: string }).secret
}

/** Tries for a while: a server that has just been started may still refuse. */
async function eventually<Result>(attempt: () => Promise<Result>): Promise<Result> {
  let last: unknown
  const found = await until('an attempt that succeeds', async () => {
    try {
      return { result: await attempt() }
    } catch (error) {
      last = error
      return undefined
    }
  }).catch((cause: unknown) => {
    throw last ?? cause
  })
  return found.result
}
