import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'
import { anyPort, readyReplicas, runDrover, startDrover } from './harness/drover.ts'
import { get } from './harness/load.ts'
import { homeServer } from './harness/project.ts'
import { until } from './harness/until.ts'

const one = ['balance', ...anyPort, '-n', '1', '--', process.execPath, homeServer]

/** Asks with headers that fetch would not let through. */
function askWith(
  url: string,
  headers: Record<string, string>,
  method = 'GET',
): Promise<{ status: number; body: string; type: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers, method }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      const type = response.headers['content-type'] ?? ''
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, type }))
    })
    sent.on('error', reject)
    sent.end()
  })
}

test('a page of another site can neither read nor change anything', async (context) => {
  const drover = await startDrover(context, one)
  const { host, port } = new URL(drover.admin)
  const status = `${drover.admin}/v1/status`
  const add = `${drover.admin}/add`

  const rebound = await askWith(status, { host: `evil.example:${port}` })
  const forged = await askWith(add, { host, origin: 'https://evil.example' }, 'POST')
  const nobody = await askWith(add, { host, origin: 'null' }, 'POST')
  const crossSite = await askWith(status, { host, 'sec-fetch-site': 'cross-site' })
  const own = await askWith(status, { host, origin: drover.admin })
  const local = await askWith(status, { host: `localhost:${port}` })

  for (const refused of [rebound, forged, nobody, crossSite]) {
    assert.equal(refused.status, 403)
    assert.match(refused.body, /FOREIGN_ORIGIN|may not call the admin API/)
  }
  assert.equal(own.status, 200)
  assert.equal(local.status, 200)
  assert.equal((await drover.status()).services[0]?.wanted, 1)
})

test('with a token only who shows it gets in, and /healthz', async (context) => {
  const token = 'a-token-of-many-letters'
  const words = ['balance', '--admin-token', token, ...one.slice(1)]
  const guarded = await startDrover(context, words, { token })

  const without = await askWith(`${guarded.admin}/v1/status`, {})
  const wrong = await askWith(`${guarded.admin}/v1/status`, { authorization: 'Bearer wrong' })
  const right = await askWith(`${guarded.admin}/v1/status`, { authorization: `Bearer ${token}` })
  const health = await askWith(`${guarded.admin}/healthz`, {})
  const command = await runDrover(['status'], { cwd: guarded.folder })

  assert.equal(without.status, 401)
  assert.equal(without.type, 'application/problem+json; charset=utf-8')
  assert.equal(JSON.parse(without.body).code, 'UNAUTHORIZED')
  assert.equal(wrong.status, 401)
  assert.equal(right.status, 200)
  assert.equal(health.status, 200)
  assert.equal(command.code, 0, 'the run file tells the owner’s commands the token')
})

test('events come as they happen, and go on after the last one seen', async (context) => {
  const drover = await startDrover(context, one)
  const kept = (await (await fetch(`${drover.admin}/v1/events?follow=false`)).json()) as {
    id: number
    kind: string
  }[]
  const last = kept.at(-1)?.id ?? 0
  const stream = await fetch(`${drover.admin}/v1/events`, {
    headers: { 'last-event-id': `${last}` },
  })
  const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader()
  assert.ok(reader)

  await drover.post('/v1/services/web/scale', { replicas: 2 })
  let text = ''
  while (!text.includes('balancer.replica.ready')) text += (await reader.read()).value ?? ''
  await reader.cancel()

  assert.ok(kept.some(({ kind }) => kind === 'balancer.replica.ready'))
  const ids = [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))
  assert.equal(ids[0], last + 1)
  assert.deepEqual(
    ids,
    [...ids].sort((a, b) => a - b),
  )
  assert.match(text, /"kind":"supervisor\.group\.scaled"/)
})

test('weight and policy change how requests are spread', async (context) => {
  const words = ['balance', ...anyPort, '-n', '3', '--policy', 'weighted', '--weights', '8,1,1']
  const drover = await startDrover(context, [...words, '--', process.execPath, homeServer])
  const url = `${await drover.url()}/home`
  const shares = async (requests: number) => {
    const seen: Record<string, number> = {}
    for (let count = 0; count < requests; count++) {
      const id = /Server: (\w+)/.exec((await get(url)).body)?.[1] ?? ''
      seen[id] = (seen[id] ?? 0) + 1
    }
    return seen
  }

  const weighted = await shares(100)
  await drover.post('/v1/services/web/replicas/2/weight', { weight: 8 })
  await until('it is told to the door', async () =>
    (await readyReplicas(drover)).some(({ name, weight }) => name === 'Server 2' && weight === 8),
  )
  const changed = await shares(170)
  await drover.post('/v1/services/web/policy', { name: 'round-robin' })
  await drover.post('/v1/services/web/replicas/Server%201/weight', { weight: 1 })
  await drover.post('/v1/services/web/replicas/Server%202/weight', { weight: 1 })
  const { services } = await drover.status()

  assert.deepEqual(weighted, { 1: 80, 2: 10, 3: 10 })
  assert.deepEqual(changed, { 1: 80, 2: 80, 3: 10 })
  assert.equal(services[0]?.policy, 'round-robin')
})

test('a kill is noticed, told and mended', async (context) => {
  const words = ['balance', ...anyPort, '-n', '2', '--', process.execPath, homeServer]
  const drover = await startDrover(context, words)

  const { code } = await runDrover(['kill', 'web', '1'], { cwd: drover.folder })

  assert.equal(code, 0)
  await until('two are ready without it', async () => {
    const ready = await readyReplicas(drover)
    return ready.length === 2 && !ready.some(({ name }) => name === 'Server 1')
  })
  const { stdout } = await runDrover(['status'], { cwd: drover.folder })
  assert.match(stdout, /^web {2}2 of 2 ready, round-robin/m)
})

test('logs show what replicas wrote, as they write it', async (context) => {
  const drover = await startDrover(context, one)

  const { stdout, code } = await runDrover(['logs'], { cwd: drover.folder })
  const byNumber = await runDrover(['logs', 'web', '-r', '1'], { cwd: drover.folder })
  const followed = await fetch(`${drover.admin}/v1/services/web/logs?follow=true&lines=0`)
  const reader = followed.body?.pipeThrough(new TextDecoderStream()).getReader()
  await drover.post('/v1/services/web/scale', { replicas: 2 })
  let text = ''
  while (!text.includes('server 2 listens')) text += (await reader?.read())?.value ?? ''
  await reader?.cancel()

  assert.equal(code, 0)
  assert.match(stdout, /^\d\d:\d\d:\d\d\.\d{3} Server 1 \| server 1 listens on 127\.0\.0\.1:\d+$/m)
  assert.equal(byNumber.stdout, stdout)
  assert.match(text, /"replica":"Server 2","stream":"stdout"/)
})

test('metrics, the configuration without its secrets, and the API’s own description', async (context) => {
  const words = ['balance', '--env', 'DB_PASSWORD=verysecret', ...one.slice(1)]
  const drover = await startDrover(context, words)
  await get(`${await drover.url()}/home`)

  const metrics = await (await fetch(`${drover.admin}/metrics`)).text()
  const config = await (await fetch(`${drover.admin}/v1/config`)).text()
  const api = (await (await fetch(`${drover.admin}/openapi.json`)).json()) as {
    paths: Record<string, unknown>
  }

  assert.match(metrics, /drover_requests_total\{[^}]*service="web"[^}]*\} 1$/m)
  assert.ok(!config.includes('verysecret'))
  assert.ok(config.includes('"DB_PASSWORD":"(hidden)"'))
  assert.deepEqual(
    ['/v1/status', '/v1/services/{service}/scale', '/v1/events', '/rep'].filter(
      (path) => !(path in api.paths),
    ),
    [],
  )
})
