import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createManualClock } from '@drover/kernel'
import { SignJWT } from 'jose'
import { accountDefaults } from '../../src/accounts/options.ts'
import { hashPassword, verifyPassword } from '../../src/accounts/password.ts'
import { Setup } from '../../src/accounts/setup.ts'
import { openStores } from '../../src/stores.ts'

const clock = createManualClock(1_790_000_000_000)
const stores = await openStores({ store: ':memory:', clock })
const { accounts } = stores
after(() => stores.close())

let users = 0
const newUser = async () => {
  const email = `user${users++}@example.org`
  return { email, id: await accounts.register(email, 'right') }
}
const refused = { code: 'TOKEN_REFUSED' }

test('a password is kept as argon2id with a salt of its own', async () => {
  const [one, other] = await Promise.all([hashPassword('pässword'), hashPassword('pässword')])

  assert.match(one, /^\$argon2id\$v=19\$m=32768,t=3,p=1\$/)
  assert.notEqual(one, other)
  assert.equal(await verifyPassword('pa\u0308ssword', one), true)
  assert.equal(await verifyPassword('password', one), false)
})

test('guesses at one account are slowed, more with each, also when they come at once', async () => {
  const { email } = await newUser()

  const guesses = await Promise.allSettled(
    Array.from({ length: 12 }, () => accounts.login(email, 'wrong')),
  )
  const codes = guesses.map((one) => (one.status === 'rejected' ? one.reason.code : 'in'))
  await assert.rejects(accounts.login(email, 'right'), { code: 'LOGIN_THROTTLED' })
  await clock.advance(accountDefaults.throttleMostMs)

  assert.ok(codes.filter((code) => code === 'LOGIN_FAILED').length <= 6)
  assert.ok(codes.includes('LOGIN_THROTTLED'))
  assert.equal(typeof (await accounts.login(email, 'right')), 'string')
})

test('one client that guesses at many accounts is slowed, others are not', async () => {
  const email = 'ann@example.org'
  const own = await openStores({ store: ':memory:', clock, accounts: { clientFailuresMax: 5 } })
  after(() => own.close())
  const { accounts: tired } = own
  await tired.register(email, 'right')
  for (let guess = 0; guess < 6; guess++)
    await assert.rejects(tired.login(`nobody${guess}@example.org`, 'x', '192.0.2.1'), {
      code: 'LOGIN_FAILED',
    })

  await assert.rejects(tired.login(email, 'right', '192.0.2.1'), { code: 'LOGIN_THROTTLED' })
  const id = await tired.login(email, 'right', '192.0.2.2')

  assert.equal(typeof id, 'string')
})

test('a token is refused when it is expired, forged, unsigned, or of another key', async () => {
  const { id } = await newUser()
  const token = await accounts.tokens.issue(id)
  const [head = '', body = '', signature = ''] = token.split('.')
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString())
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const own = await new SignJWT(claims)
    .setProtectedHeader(JSON.parse(Buffer.from(head, 'base64url').toString()))
    .sign(Buffer.alloc(32))
  const forged = [
    `${head}.${encode({ ...claims, sub: 'somebody' })}.${signature}`,
    `${encode({ alg: 'none' })}.${body}.`,
    `${encode({ alg: 'none', kid: 'x' })}.${body}.${signature}`,
    own,
    'nonsense',
  ]

  for (const one of forged) await assert.rejects(accounts.tokens.identify(one), refused)
  assert.equal((await accounts.tokens.identify(token)).userId, id)
  await clock.advance(accountDefaults.accessMs + 1_000)
  await assert.rejects(accounts.tokens.identify(token), refused)
})

test('a revoked token, all tokens of a user, and those of an ended account are refused', async () => {
  const { id } = await newUser()
  const [one, other] = [await accounts.tokens.issue(id), await accounts.tokens.issue(id)]
  await clock.advance(1)

  await accounts.tokens.revoke(await accounts.tokens.identify(one))
  await assert.rejects(accounts.tokens.identify(one), refused)
  assert.equal((await accounts.tokens.identify(other)).userId, id)
  await accounts.tokens.revokeAll(id)
  await assert.rejects(accounts.tokens.identify(other), refused)
  const newer = await accounts.tokens.issue(id)
  await accounts.setDisabled(id, true)

  await assert.rejects(accounts.tokens.identify(newer), refused)
})

test('a class behind one address may mistype more often than one account', async () => {
  const { email } = await newUser()
  for (let guess = 0; guess < 10; guess++)
    await assert.rejects(accounts.login(`pupil${guess}@example.org`, 'x', '192.0.2.3'), {
      code: 'LOGIN_FAILED',
    })

  assert.equal(typeof (await accounts.login(email, 'right', '192.0.2.3')), 'string')
})

test('of two who use a refresh token at the same moment neither keeps a login', async () => {
  const { id } = await newUser()
  const { refreshToken } = await accounts.tokens.issuePair(id)

  const both = await Promise.allSettled([
    accounts.tokens.refresh(refreshToken),
    accounts.tokens.refresh(refreshToken),
  ])

  const given = both.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  assert.equal(given.length, 1)
  await assert.rejects(accounts.tokens.refresh(given[0]?.refreshToken ?? ''), refused)
})

test('a login that is ended ends with all that came from it, and no other', async () => {
  const { id } = await newUser()
  const { tokens } = accounts
  const [one, other] = [await tokens.issuePair(id), await tokens.issuePair(id)]
  const later = await tokens.refresh(one.refreshToken)

  await tokens.endLogin(one.refreshToken)
  await tokens.endLogin('nonsense')

  await assert.rejects(tokens.refresh(later.refreshToken), refused)
  assert.equal(typeof (await tokens.refresh(other.refreshToken)).accessToken, 'string')
})

test('more passwords than can be looked at soon are refused, to be tried later', async () => {
  const hash = `$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$${'A'.repeat(43)}`
  const many = await Promise.allSettled(
    Array.from({ length: 504 }, () => verifyPassword('x', hash)),
  )

  const codes = many.map((one) => (one.status === 'rejected' ? one.reason.code : 'looked at'))
  assert.equal(codes.filter((code) => code === 'LOGINS_TOO_MANY').length, 2)
  assert.equal(typeof (await hashPassword('x')), 'string')
})

test('of several who would be the first admin at one moment one is', async () => {
  const fresh = await openStores({ store: ':memory:', clock })
  const replicas = [0, 1, 2].map(() => new Setup(fresh.accounts, clock))
  for (const setup of replicas) await setup.offer('shown-once')

  const claims = await Promise.allSettled(
    [0, 1, 2, 3, 4, 5].map((index) =>
      replicas[index % 3]?.claim('shown-once', `boss${index}@example.org`, 'secret'),
    ),
  )
  const found = await fresh.accounts.list(10)
  await fresh.close()

  assert.equal(claims.filter(({ status }) => status === 'fulfilled').length, 1)
  assert.equal(found.filter(({ role }) => role === 'admin').length, 1)
})

test('the first admin comes in by a token, once', async () => {
  const setup = new Setup(accounts, clock)

  assert.equal(await setup.offer('shown-once'), true)
  await assert.rejects(setup.claim('guess', 'boss@example.org', 'secret'), {
    code: 'SETUP_REFUSED',
  })
  const id = await setup.claim('shown-once', 'boss@example.org', 'secret')
  await assert.rejects(setup.claim('shown-once', 'other@example.org', 'secret'), {
    code: 'SETUP_REFUSED',
  })

  const token = await accounts.tokens.issue(id)
  assert.equal((await accounts.tokens.identify(token)).role, 'admin')
  assert.equal(await setup.offer('another'), false)
})
