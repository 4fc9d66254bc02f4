import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHttpServer, silentLog } from '@drover/kernel'
import { type GuardOptions, guard } from '../../src/admin/guard.ts'

async function statusOf(
  headers: Record<string, string>,
  options: Partial<GuardOptions> = {},
  url = '/v1/status',
): Promise<number> {
  const server = await createHttpServer({ title: 't', description: 'd', log: silentLog })
  guard(server, { token: undefined, hosts: [], ...options })
  server.get('/v1/status', () => 'ok')
  server.get('/healthz', () => 'ok')
  return (await server.inject({ url, headers })).statusCode
}

test('without a token it is called by loopback names, addresses and the names that were given', async () => {
  const passed = ['localhost:8081', '127.0.0.1', '[::1]:8081', '192.168.1.5:8081', 'LOCALHOST']
  const refused = ['evil.example', 'localhost.evil.example:8081', '127.0.0.1.evil.example']

  for (const host of passed) assert.equal(await statusOf({ host }), 200, host)
  for (const host of refused) assert.equal(await statusOf({ host }), 403, host)
  assert.equal(await statusOf({ host: 'ops.example:8081' }, { hosts: ['ops.example'] }), 200)
})

test('a page of another origin is refused, its own page is not', async () => {
  const host = 'localhost:8081'

  assert.equal(await statusOf({ host, origin: 'http://localhost:8081' }), 200)
  for (const origin of ['http://localhost:3000', 'https://evil.example', 'null', 'file://'])
    assert.equal(await statusOf({ host, origin }), 403, origin)
  assert.equal(await statusOf({ host, 'sec-fetch-site': 'cross-site' }), 403)
  assert.equal(await statusOf({ host, 'sec-fetch-site': 'same-origin' }), 200)
})

test('with a token only who shows it gets in, by whatever name', async () => {
  const token = 'sixteen-letters-and-more'
  const ask = (authorization?: string) =>
    statusOf({ host: 'any.example', ...(authorization ? { authorization } : {}) }, { token })

  assert.equal(await ask(`Bearer ${token}`), 200)
  assert.equal(await ask(`bearer  ${token}`), 200)
  for (const wrong of [
    undefined,
    token,
    `Bearer ${token}x`,
    'Bearer',
    `Basic ${token}`,
    'Bearer x',
  ])
    assert.equal(await ask(wrong), 401, wrong)
})

test('/healthz is for everybody', async () => {
  const token = 'sixteen-letters-and-more'

  assert.equal(await statusOf({ host: 'any.example' }, { token }, '/healthz'), 200)
})
