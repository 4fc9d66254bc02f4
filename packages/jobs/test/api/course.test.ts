import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { silentLog, systemClock } from '@drover/kernel'
import type { LightMyRequestResponse } from 'fastify'
import { decodeSubmission } from '../../src/pipeline/wire.ts'
import { createReplica } from '../../src/replica.ts'
import { openStores } from '../../src/stores.ts'
import { createMemoryEngine } from '../memory-engine.ts'

const stores = await openStores({ store: ':memory:', clock: systemClock })
const engine = createMemoryEngine(systemClock)
const server = await createReplica({
  stores,
  engine,
  clock: systemClock,
  log: silentLog,
  api: { replicaId: 2 },
})
after(async () => {
  await server.close()
  await stores.close()
})

const json = { 'content-type': 'application/json' }
const form = { 'content-type': 'application/x-www-form-urlencoded' }
const post = (url: string, payload: string, headers: Record<string, string> = json) =>
  server.inject({ method: 'POST', url, payload, headers })

async function logIn(email: string): Promise<Record<string, string>> {
  await post('/users/', JSON.stringify({ email, password: 'secret' }))
  const answer = await post('/token', `username=${email}&password=secret`, form)
  return { ...json, authorization: `Bearer ${answer.json().access_token}` }
}

const fieldsOf = (answer: LightMyRequestResponse) =>
  answer.json().detail.map(({ loc }: { loc: string[] }) => loc[1])

test('a user is created once', async () => {
  const body = '{"email":"ann@example.org","password":"x"}'

  const first = await post('/users/', body)
  const second = await post('/users/', body)

  assert.equal(first.statusCode, 200)
  assert.equal(first.body, '{"message":"User created successfully"}')
  assert.equal(second.statusCode, 400)
  assert.equal(second.body, '{"detail":"Email already registered"}')
})

test('a form with the right password gives a token, a wrong one does not', async () => {
  await post('/users/', '{"email":"bob@example.org","password":"right"}')

  const right = await post(
    '/token',
    'grant_type=password&username=bob%40example.org&password=right&scope=',
    form,
  )
  const wrong = await post('/token', 'username=bob%40example.org&password=wrong', form)
  const stranger = await post('/token', 'username=nobody%40example.org&password=wrong', form)

  assert.equal(right.statusCode, 200)
  assert.match(right.body, /^\{"access_token":"[\w-]+\.[\w-]+\.[\w-]+","token_type":"bearer"\}$/)
  for (const answer of [wrong, stranger]) {
    assert.equal(answer.statusCode, 401)
    assert.equal(answer.body, '{"detail":"Incorrect email or password"}')
    assert.equal(answer.headers['www-authenticate'], 'Bearer')
  }
})

for (const spelling of ['user_id', 'user_Id'])
  test(`data is received with ${spelling}, and more fields are ignored`, async () => {
    const headers = await logIn(`${spelling.toLowerCase()}@example.org`)
    const payload = `{"${spelling}":7,"request_url":"http://site.example/a","type":2,
      "callback":"http://me.example/done","color":"red"}`

    const answer = await post('/receive_data', payload, headers)

    const { job } = answer.json().data
    assert.equal(answer.statusCode, 200)
    assert.equal(
      answer.body,
      `{"success":true,"data":{"id":2,"job":"${job}"},"message":"message received"}`,
    )
    const leases = await engine.lease('message_queue', { count: 100 })
    const found = leases
      .map(({ record }) => decodeSubmission(record.value))
      .find((submission) => submission?.id === job)
    assert.equal(found?.userId, 7)
    assert.equal(found?.url, 'http://site.example/a')
    assert.equal(found?.callbackUrl, 'http://me.example/done')
  })

test('data without a good token is refused', async () => {
  const payload = '{"user_id":1,"request_url":"http://site.example/","type":1}'

  const none = await post('/receive_data', payload)
  const bad = await post('/receive_data', payload, { ...json, authorization: 'Bearer a.b.c' })

  for (const answer of [none, bad]) {
    assert.equal(answer.statusCode, 401)
    assert.equal(answer.headers['www-authenticate'], 'Bearer')
    assert.equal(typeof answer.json().detail, 'string')
  }
})

const wrongBodies: [string, string[]][] = [
  ['{"request_url":"http://a.example/","type":1}', ['user_id']],
  ['{"user_id":1,"type":1}', ['request_url']],
  ['{"user_id":1,"request_url":"http://a.example/"}', ['type']],
  ['{"user_id":1,"request_url":"http://a.example/","type":4}', ['type']],
  ['{"user_id":1,"request_url":"http://a.example/","type":"x"}', ['type']],
  ['{"user_id":[],"request_url":7,"type":0}', ['user_id', 'request_url', 'type']],
  ['{"user_id":1,"request_url":"file:///etc/passwd","type":1}', ['request_url']],
  ['{"user_id":1,"request_url":"http://a.example/","type":1,"callback_url":5}', ['callback_url']],
  ['{"user_id":1,"request_url":"http://a.example/","type":1,"callback":"x"}', ['callback_url']],
  [
    '{"user_id":1,"request_url":"http://a:b@a.example/","type":1,"callback":"http://c.example/"}',
    ['request_url'],
  ],
  ['{"request_url":"x","type":1,"callback":"x"}', ['user_id', 'request_url', 'callback_url']],
]
for (const [payload, fields] of wrongBodies)
  test(`${payload} is answered by 422 that names ${fields.join(', ')}`, async () => {
    const headers = await logIn('wrong@example.org')

    const answer = await post('/receive_data', payload, headers)

    assert.equal(answer.statusCode, 422)
    assert.deepEqual(fieldsOf(answer), fields)
  })

for (const [url, payload] of [
  ['/users/', '{"email":"x@example.org"}'],
  ['/users/', '{"email":5,"password":"x"}'],
  ['/users/', '{"email":"no address","password":"x"}'],
  ['/users/', '[]'],
  ['/users/', '{'],
  ['/users/', ''],
  ['/token', ''],
] as const)
  test(`POST ${url} with ${payload || 'nothing'} is answered by 422`, async () => {
    const answer = await post(url, payload)

    assert.equal(answer.statusCode, 422)
    assert.ok(Array.isArray(answer.json().detail))
  })

test('every path is there with a slash at its end and without', async () => {
  const email = 'slash@example.org'
  const body = '{"user_id":1,"request_url":"http://a.example/","type":1}'

  const made = await post('/users', JSON.stringify({ email, password: 'secret' }))
  const token = await post('/token/', `username=${email}&password=secret`, form)
  const authorization = `Bearer ${token.json().access_token}`
  const received = await post('/receive_data/', body, { ...json, authorization })
  const tested = await server.inject({ url: '/test_endpoint/' })

  for (const answer of [made, token, received, tested]) assert.equal(answer.statusCode, 200)
})

test('nobody on the way may keep a token', async () => {
  const headers = { email: 'kept@example.org', password: 'secret' }
  await post('/users/', JSON.stringify(headers))

  const course = await post('/token', 'username=kept%40example.org&password=secret', form)
  const own = await post('/v1/tokens', JSON.stringify(headers))

  for (const answer of [course, own]) {
    assert.equal(answer.statusCode, 200)
    assert.equal(answer.headers['cache-control'], 'no-store')
  }
})

test('a quota of the account holds for data that is received, too', async () => {
  const headers = await logIn('few@example.org')
  const [user] = await stores.accounts.list(1)
  await stores.accounts.setQuota(user?.id ?? '', { perMinuteMax: 2 })
  const body = '{"user_id":1,"request_url":"http://a.example/","type":1}'
  const statuses = []

  for (let sent = 0; sent < 3; sent++)
    statuses.push((await post('/receive_data', body, headers)).statusCode)

  assert.deepEqual(statuses, [200, 200, 429])
})

test('the test endpoint tells the replica', async () => {
  const answer = await server.inject({ url: '/test_endpoint' })

  assert.equal(answer.statusCode, 200)
  assert.equal(answer.body, '{"success":true,"data":{"id":2},"message":"request received."}')
})

test('nothing is accepted while the queue is away', async () => {
  const headers = await logIn('away@example.org')
  engine.broken = true

  const answer = await post(
    '/receive_data',
    '{"user_id":1,"request_url":"http://a.example/","type":1}',
    headers,
  )

  engine.broken = false
  assert.equal(answer.statusCode, 503)
  assert.equal(answer.json().code, 'BROKER_UNREACHABLE')
})

test('the OpenAPI document has every route', async () => {
  const answer = await server.inject({ url: '/openapi.json' })

  const paths = Object.keys(answer.json().paths)
  for (const path of ['/users/', '/token', '/receive_data', '/v1/jobs', '/v1/callbacks/{id}'])
    assert.ok(paths.includes(path), path)
})
