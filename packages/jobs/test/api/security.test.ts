import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { after, test } from 'node:test'
import { createManualClock, type Log } from '@drover/kernel'
import { SignJWT } from 'jose'
import type { AccountOptions } from '../../src/accounts/options.ts'

// Told apart: which hashes a login computes. What hashes passwords is loaded after it.
const derived: object[] = []
const { argon2 } = crypto
crypto.argon2 = (name, parameters, done) => {
  const { memory, passes } = parameters
  derived.push({ name, memory, passes })
  return argon2(name, parameters, done)
}
syncBuiltinESMExports()
const { replicaOf } = await import('./replica-of.ts')

const clock = createManualClock(1_790_000_000_000)
const accounts: Partial<AccountOptions> = { sessionCacheMs: 1_000 }
const said: string[] = []
const note = (...words: unknown[]) => {
  said.push(JSON.stringify(words))
}
const log: Log = { debug: note, info: note, warn: note, error: note } as unknown as Log
const replica = await replicaOf({ after }, { clock, accounts, log, setupToken: 'shown-once' })
const { ask, stores, server } = replica
let users = 0
const newUser = () => replica.user(`user${users++}@example.org`)
const bearer = (token: string) =>
  server.inject({ url: '/v1/me', headers: { authorization: `Bearer ${token}` } })
const logIn = (email: string, password: string, headers: Record<string, string> = {}) =>
  server.inject({ method: 'POST', url: '/v1/tokens', headers, payload: { email, password } })

test('no token, and one that is expired, forged, unsigned or of another key, is 401', async () => {
  const { token, id } = await newUser()
  const [head = '', body = '', signature = ''] = token.split('.')
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = read(body)
  const sign = (header: object, key: Buffer) =>
    new SignJWT(claims).setProtectedHeader(header as { alg: string }).sign(key)
  const { secret } = await stores.accounts.keys.current()
  const forged: Record<string, string> = {
    'another payload': `${head}.${encode({ ...claims, sub: crypto.randomUUID() })}.${signature}`,
    'an admin by payload': `${head}.${encode({ ...claims, role: 'admin' })}.${signature}`,
    'no algorithm': `${encode({ alg: 'none', typ: 'JWT' })}.${body}.`,
    'no algorithm, known key': `${encode({ ...read(head), alg: 'none' })}.${body}.`,
    'no algorithm, a signature': `${encode({ ...read(head), alg: 'none' })}.${body}.${signature}`,
    'another key under this id': await sign(read(head), Buffer.alloc(32)),
    'this key under another id': await sign({ alg: 'HS256', kid: 'x' }, Buffer.from(secret)),
    'this key under no id': await sign({ alg: 'HS256' }, Buffer.from(secret)),
    'another algorithm': await sign({ ...read(head), alg: 'HS512' }, Buffer.alloc(64, secret)),
    'no signature': `${head}.${body}.`,
    'two parts': `${head}.${body}`,
    nonsense: 'a.b.c',
    'a refresh token': (await stores.accounts.tokens.issuePair(id)).refreshToken,
  }

  for (const [name, one] of Object.entries(forged)) {
    const answer = await bearer(one)
    assert.equal(answer.statusCode, 401, name)
    assert.equal(answer.json().code, 'TOKEN_REFUSED', name)
    assert.equal(answer.headers['www-authenticate'], 'Bearer', name)
  }
  assert.equal((await server.inject({ url: '/v1/me' })).statusCode, 401)
  assert.equal((await bearer(token)).statusCode, 200)
  await clock.advance(3_601_000)
  assert.equal((await bearer(token)).statusCode, 401)
})

test('every request of /v1 but login, refresh, setup and health needs a token', async () => {
  const open = new Set(['/v1/tokens', '/v1/tokens/refresh', '/v1/setup', '/v1/health'])
  const { paths } = (await server.inject({ url: '/openapi.json' })).json()
  const bodies: Record<string, object> = {
    '/v1/jobs': { url: 'http://site.example/', type: 1 },
    '/v1/batches': { jobs: [{ url: 'http://site.example/', type: 1 }] },
    '/v1/schedules': { cron: '0 0 * * *', job: { url: 'http://site.example/', type: 1 } },
    '/v1/schedules/{id}/pause': { paused: true },
    '/v1/me/password': { password: 'secret', newPassword: 'other' },
    '/v1/admin/users/{id}/disable': { disabled: true },
    '/v1/admin/users/{id}/role': { role: 'admin' },
    '/v1/admin/users/{id}/quota': {},
    '/v1/jobs/retry': {},
  }
  const user = await newUser()
  let asked = 0

  for (const [path, methods] of Object.entries<Record<string, { security?: object }>>(paths))
    for (const [method, { security }] of Object.entries(methods)) {
      if (!path.startsWith('/v1/') || open.has(path)) continue
      assert.deepEqual(security, [{ bearer: [] }], `${method} ${path}`)
      const url = path.replace('{id}', 'some')
      const name = method.toUpperCase() as 'GET'
      const body = method === 'post' ? bodies[path] : undefined
      const answer = await ask(undefined, name, url, body)
      assert.equal(answer.statusCode, 401, `${method} ${path}`)
      if (path.startsWith('/v1/admin/'))
        assert.equal((await ask(user, name, url, body)).statusCode, 403, `${method} ${path}`)
      asked++
    }
  assert.ok(asked >= 25)
})

test('of whoever has no token nothing is read: 401 comes before a complaint about the body', async () => {
  const headers = { 'content-type': 'application/json' }
  const send = (url: string, payload: string) =>
    server.inject({ method: 'POST', url, payload, headers })

  for (const url of ['/receive_data', '/v1/jobs', '/v1/batches', '/v1/admin/users/x/role'])
    for (const payload of ['{', '[[[', '{"jobs":5}', 'x'.repeat(9_000_000)])
      assert.equal((await send(url, payload)).statusCode, 401, `${url} ${payload.slice(0, 20)}`)
  for (const url of ['/users/', '/token', '/v1/tokens', '/v1/setup'])
    assert.equal((await send(url, ' '.repeat(70_000))).statusCode, 413, url)
})

test('a revoked token is refused at once, at another replica within its memory', async () => {
  const { id, token } = await newUser()
  const before = await bearer(token)

  const revoked = await server.inject({
    method: 'POST',
    url: '/v1/tokens/revoke',
    headers: { authorization: `Bearer ${token}` },
  })
  const other = await stores.accounts.tokens.issue(id)

  assert.deepEqual([before.statusCode, revoked.statusCode], [200, 204])
  assert.equal((await bearer(token)).statusCode, 401)
  assert.equal((await bearer(other)).statusCode, 200)
})

test('a refresh token gives new tokens once; used twice, all of its family end', async () => {
  const { email } = await newUser()
  const first = (await logIn(email, 'secret')).json()
  const refresh = (refreshToken: string) =>
    server.inject({ method: 'POST', url: '/v1/tokens/refresh', payload: { refreshToken } })

  const second = await refresh(first.refreshToken)
  const stolen = await refresh(first.refreshToken)
  const third = await refresh(second.json().refreshToken)

  assert.equal(second.statusCode, 200)
  assert.equal((await bearer(second.json().accessToken)).statusCode, 200)
  assert.deepEqual([stolen.statusCode, third.statusCode], [401, 401])
})

test('a rotated key signs, the one before still verifies', async () => {
  const boss = await replica.user('boss@example.org', 'admin')
  const user = await newUser()
  const kidOf = (token: string) =>
    JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid

  const rotated = await ask(boss, 'POST', '/v1/admin/keys/rotate')
  const newer = (await logIn(user.email, 'secret')).json().accessToken

  assert.equal(kidOf(newer), rotated.json().kid)
  assert.notEqual(kidOf(user.token), rotated.json().kid)
  for (const token of [user.token, newer]) assert.equal((await bearer(token)).statusCode, 200)
})

test('an unknown email costs the same work and gets the same answer as a wrong password', async () => {
  const { email } = await newUser()
  const costOf = async (name: string, url: string, body: object) => {
    derived.length = 0
    const form = new URLSearchParams({ username: name, password: 'wrong' }).toString()
    const isForm = url === '/token'
    const answer = await server.inject({
      method: 'POST',
      url,
      headers: {
        'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json',
      },
      payload: isForm ? form : JSON.stringify(body),
    })
    return { status: answer.statusCode, body: answer.body, work: [...derived] }
  }

  for (const url of ['/token', '/v1/tokens']) {
    const known = await costOf(email, url, { email, password: 'wrong' })
    const name = `nobody-${url.length}@example.org`
    const unknown = await costOf(name, url, { email: name, password: 'wrong' })

    assert.deepEqual(unknown, known)
    assert.deepEqual(known.work, [{ name: 'argon2id', memory: 32_768, passes: 3 }])
    assert.equal(known.status, 401)
  }
})

test('guesses are throttled over both ways in, and the answer says how long', async () => {
  const { email } = await newUser()
  for (let guess = 0; guess < 5; guess++) await logIn(email, `guess ${guess}`)
  await logIn(email, 'one more')

  derived.length = 0
  const right = await logIn(email, 'secret')
  const form = new URLSearchParams({ username: email, password: 'secret' }).toString()
  const course = await server.inject({
    ...{ method: 'POST', url: '/token', payload: form },
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })

  for (const answer of [right, course]) {
    assert.equal(answer.statusCode, 429)
    assert.ok(Number(answer.headers['retry-after']) >= 1)
  }
  assert.deepEqual(derived, [], 'no password is looked at')
  await clock.advance(900_000)
  assert.equal((await logIn(email, 'secret')).statusCode, 200)
})

test('an address is who its connection says, as a network where one has many', async () => {
  const own = await replicaOf({ after }, { clock, accounts: { clientFailuresMax: 2 } })
  const far = await replicaOf(
    { after },
    { clock, accounts: { clientFailuresMax: 2 }, api: { trustForwarded: true } },
  )
  const guess = (remoteAddress: string, { server: at } = own, forwarded = '8.8.8.8') =>
    at.inject({
      ...{ method: 'POST', url: '/v1/tokens', remoteAddress },
      headers: { 'x-forwarded-for': forwarded },
      payload: { email: `nobody${users++}@example.org`, password: 'x' },
    })
  const statusesOf = async (addresses: string[]) => {
    const statuses = []
    for (const address of addresses) statuses.push((await guess(address)).statusCode)
    return statuses
  }

  assert.deepEqual(await statusesOf(Array(4).fill('192.0.2.1')), [401, 401, 401, 429])
  assert.deepEqual(await statusesOf(['::ffff:192.0.2.1', '192.0.2.2']), [429, 401])
  const network = ['2001:db8::1', '2001:db8::2', '2001:db8:0:0:f::3', '2001:db8::4']
  assert.deepEqual(await statusesOf([...network, '2001:db8:0:1::1']), [401, 401, 401, 429, 401])
  assert.deepEqual(await statusesOf(Array(5).fill('127.0.0.1')), Array(5).fill(401))
  for (const status of [401, 401, 401, 429])
    assert.equal((await guess('127.0.0.1', far, '203.0.113.9, 192.0.2.7')).statusCode, status)
  assert.equal((await guess('127.0.0.1', far, '192.0.2.7, 203.0.113.9')).statusCode, 401)
})

test('a new password needs the old one, and ends every token', async () => {
  const user = await newUser()
  const change = (password: string) =>
    ask(user, 'POST', '/v1/me/password', { password, newPassword: 'better' })

  await clock.advance(1)
  const wrong = await change('guess')
  const right = await change('secret')

  assert.deepEqual([wrong.statusCode, right.statusCode], [401, 204])
  assert.equal((await bearer(user.token)).statusCode, 401)
  assert.equal((await logIn(user.email, 'secret')).statusCode, 401)
  assert.equal((await logIn(user.email, 'better')).statusCode, 200)
})

test('a disabled account is out at once, its schedules rest, and it may be opened again', async () => {
  const [user, boss] = [await newUser(), await replica.user('boss3@example.org', 'admin')]
  const job = { url: 'http://site.example/', type: 1 }
  await ask(user, 'POST', '/v1/schedules', { cron: '* * * * *', job })
  const disable = (disabled: boolean) =>
    ask(boss, 'POST', `/v1/admin/users/${user.id}/disable`, { disabled })

  const done = await disable(true)
  await clock.advance(120_000)
  let made = 0
  await stores.schedules.submitDue(10, () => {
    made++
    throw new Error('it must not run')
  })

  assert.equal(done.statusCode, 204)
  assert.equal(made, 0)
  assert.equal((await bearer(user.token)).statusCode, 401)
  assert.equal((await logIn(user.email, 'secret')).statusCode, 401)
  await disable(false)
  assert.equal((await logIn(user.email, 'secret')).statusCode, 200)
  assert.equal(
    (await ask(boss, 'POST', '/v1/admin/users/x/disable', { disabled: true })).statusCode,
    404,
  )
})

test('an admin gives quotas and roles, and sees all accounts', async () => {
  const [user, boss] = [await newUser(), await replica.user('boss4@example.org', 'admin')]

  await ask(boss, 'POST', `/v1/admin/users/${user.id}/quota`, { perMinuteMax: 7 })
  await ask(boss, 'POST', `/v1/admin/users/${user.id}/role`, { role: 'admin' })
  const me = (await bearer(user.token)).json()
  const list = (await ask(boss, 'GET', '/v1/admin/users?limit=500')).json()
  const entry = list.users.find(({ id }: { id: string }) => id === user.id)

  assert.equal(me.role, 'admin')
  assert.equal(me.quota.perMinuteMax, 7)
  assert.deepEqual([entry.role, entry.quota], ['admin', { perMinuteMax: 7 }])
  assert.ok(!JSON.stringify(list).includes('argon2'))
})

test('while the store is away, who was known still submits, and nobody else comes in', async () => {
  const [known, stranger] = [await newUser(), await newUser()]
  const submit = (user: typeof known) =>
    ask(user, 'POST', '/v1/jobs', { url: 'http://site.example/', type: 1 })
  await submit(known)
  await clock.advance(2_000)
  replica.store.away = true

  const waits = await submit(known)
  const refused = await submit(stranger)
  const list = await ask(known, 'GET', '/v1/jobs')
  await clock.advance(600_000)
  const late = await submit(known)
  replica.store.away = false

  assert.equal(waits.statusCode, 202)
  for (const answer of [refused, list, late]) {
    assert.equal(answer.statusCode, 503)
    assert.equal(answer.json().code, 'STORE_UNAVAILABLE')
  }
  assert.equal((await submit(stranger)).statusCode, 202)
})

test('no secret is written to the log', async () => {
  const user = await newUser()
  const { secret } = (await ask(user, 'GET', '/v1/me/webhook-secret')).json()
  const pair = (await logIn(user.email, 'secret')).json()
  await logIn(user.email, 'wrong-and-secret')
  replica.store.away = true
  const failed = await logIn(user.email, 'wrong-and-secret')
  replica.store.away = false

  const text = said.join('\n')

  assert.equal(failed.statusCode, 503)
  assert.match(text, /does not answer/)
  for (const word of [secret, pair.accessToken, pair.refreshToken, 'wrong-and-secret', user.token])
    assert.ok(!text.includes(word))
})

test('the first admin is made by the token that was shown, once', async () => {
  const other = await replicaOf({ after }, { clock, setupToken: 'shown-once' })
  const claim = (token: string, email: string) =>
    other.ask(undefined, 'POST', '/v1/setup', { token, email, password: 'secret' })

  const wrong = await claim('guess', 'a@example.org')
  const right = await claim('shown-once', 'b@example.org')
  const again = await claim('shown-once', 'c@example.org')

  assert.deepEqual([wrong.statusCode, right.statusCode, again.statusCode], [403, 200, 403])
  const [admin] = await other.stores.accounts.list(10)
  assert.deepEqual([admin?.email, admin?.role], ['b@example.org', 'admin'])
})
