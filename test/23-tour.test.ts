import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  lives,
  type RunningDrover,
  runDrover,
  startDrover,
  temporaryFolder,
} from './harness/drover.ts'
import { get } from './harness/load.ts'
import { descendantsOf } from './harness/process-tree.ts'
import { until } from './harness/until.ts'

/** Moves the tour to ports that no other test uses. */
const shift = 11_000 + Math.floor(Math.random() * 800)
const at = (port: number) => `http://127.0.0.1:${port + shift}`

async function startTour(context: TestContext): Promise<RunningDrover> {
  return startDrover(context, ['up', '--shift', String(shift)])
}

async function allGone(pids: readonly number[]): Promise<boolean> {
  const living = await Promise.all(pids.map(lives))
  return living.every((one) => !one)
}

const services = [
  ...['web', 'queue', 'jobs', 'job-steps', 'chunks', 'chunk-backends'],
  ...['bailey', 'bona', 'campbell', 'clark', 'jaquez'],
]

async function checkParts(drover: RunningDrover): Promise<void> {
  const status = await drover.status()
  assert.deepEqual(
    status.services.map(({ name }) => name),
    services,
  )

  await until('it says what to try', () => drover.output().includes('Three things to try'))
  const said = drover.output()
  assert.match((await get(`${at(8080)}/home`)).body, /Hello from Server: \d/)
  assert.equal(drover.admin, at(8081))
  const page = await fetch(`${at(8081)}/`)
  assert.equal(page.status, 200)
  assert.match(await page.text(), /<title>Drover/)
  assert.match((await get(`${at(8000)}/test_endpoint`)).body, /"success":true/)
  assert.match((await get(at(8090))).body, /<!doctype html>/)
  assert.ok(said.includes(`${at(8081)}`))

  const topology = ['--topology', '.drover/herd.yaml']
  const cwd = drover.folder
  const words = ['herd', 'say', 'Clark', 'kiwi', '+34.068930-118.445127', ...topology]
  const heard = await runDrover(words, { cwd })
  assert.match(heard.stdout, /^AT Clark \+\d+\.\d{9} kiwi /, heard.stderr)
  const near = await runDrover(['herd', 'ask', 'Bona', 'kiwi', ...topology], { cwd })
  assert.match(near.stdout, /^AT Clark .*\n\{/, near.stderr)

  const login = /log in as (\S+) with (\S+)/.exec(said)
  const form = new URLSearchParams({ username: login?.[1] ?? '', password: login?.[2] ?? '' })
  const token = await fetch(`${at(8000)}/token`, { method: 'POST', body: form })
  assert.equal(token.status, 200)
  const { access_token: bearer } = (await token.json()) as { access_token: string }
  const submitted = await fetch(`${at(8000)}/receive_data`, {
    method: 'POST',
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    body: JSON.stringify({ user_id: 'me', request_url: `${at(8080)}/home`, type: 1 }),
  })
  assert.equal(submitted.status, 200, await submitted.clone().text())
  const { data } = (await submitted.json()) as { data: { job: string } }
  const headers = { 'x-part-authorization': `Bearer ${bearer}` }
  await until('the job is done', async () => {
    const answer = await fetch(`${drover.admin}/parts/jobs/v1/jobs/${data.job}`, { headers })
    return ((await answer.json()) as { state?: string }).state === 'done'
  })
}

async function checkPartsApi(drover: RunningDrover): Promise<void> {
  const parts = (await (await fetch(`${drover.admin}/v1/parts`)).json()) as {
    service: string
    part: string
    base: string
    replicas: { ready: boolean }[]
  }[]
  assert.deepEqual(
    parts.map(({ service, part }) => `${part} ${service}`),
    services
      .filter((name) => !['web', 'job-steps', 'chunk-backends'].includes(name))
      .map((name) => `${['queue', 'jobs', 'chunks'].includes(name) ? name : 'herd'} ${name}`),
  )
  const topics = await fetch(`${drover.admin}/parts/queue/v1/topics`)
  assert.equal(topics.status, 200)
  assert.equal(topics.headers.get('content-security-policy'), 'sandbox')
  const unknown = await fetch(`${drover.admin}/parts/web/home`)
  assert.equal(unknown.status, 404)
  const foreign = await fetch(`${drover.admin}/parts/queue/v1/topics`, {
    headers: { origin: 'http://evil.example' },
  })
  assert.equal(foreign.status, 403)

  const made = await fetch(`${drover.admin}/parts/queue/v1/topics`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'orders', options: { partitions: 2 } }),
  })
  assert.ok(made.ok, await made.clone().text())
}

async function checkRestarts(drover: RunningDrover): Promise<void> {
  for (const name of ['queue', 'clark']) {
    const before = (await replicasOf(drover, name))[0]
    const began = await drover.post(`/v1/services/${name}/restart`)
    assert.equal(began.status, 202)
    await until(`${name} is new`, async () => {
      const [now] = await replicasOf(drover, name)
      return now?.state === 'ready' && now.pid !== before?.pid
    })
  }
}

async function checkTaken(): Promise<void> {
  const words = ['up', '--shift', String(shift)]

  const second = await runDrover(words, { cwd: await temporaryFolder() })

  assert.equal(second.code, 1, second.stdout)
  assert.match(second.stderr, /is taken by another program; drover up --shift/)
}

async function checkEnd(
  drover: RunningDrover,
  signal: NodeJS.Signals,
  code: number | null,
): Promise<void> {
  const pids = descendantsOf(drover.child.pid ?? 0)
  assert.ok(pids.length >= 19, `${pids.length} processes`)

  drover.child.kill(signal)

  assert.equal(await drover.ended, code)
  await until('nothing of it lives', () => allGone(pids))
  const log = await readFile(join(drover.folder, '.drover', 'drover.log'), 'utf8')
  assert.doesNotMatch(log, /SIGKILL/, 'each ended by itself when it was told to')
}

async function replicasOf(drover: RunningDrover, name: string) {
  const { services: all } = await drover.status()
  return all.find((service) => service.name === name)?.replicas ?? []
}

test('the tour', async (context) => {
  const drover = await startTour(context)

  await context.test('runs every part, says what to try, and what it says works', () =>
    checkParts(drover),
  )
  await context.test('shows its parts through the admin API, where they can do nothing', () =>
    checkPartsApi(drover),
  )
  await context.test('says how to move it when a port is taken', checkTaken)
  await context.test('leaves nothing after ctrl-c', () => checkEnd(drover, 'SIGINT', 0))
})

test('another tour', async (context) => {
  const drover = await startTour(context)

  await context.test('restarts the queue and a server of the herd by stopping first', () =>
    checkRestarts(drover),
  )
  await context.test('leaves nothing after SIGKILL', () => checkEnd(drover, 'SIGKILL', null))
})
