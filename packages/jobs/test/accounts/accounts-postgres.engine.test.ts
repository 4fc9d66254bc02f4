import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { systemClock } from '@drover/kernel'
import { Setup } from '../../src/accounts/setup.ts'
import type { TokenPair } from '../../src/accounts/tokens.ts'
import { openStores } from '../../src/stores.ts'
import { startPostgres } from '../servers/postgres.ts'

const server = await startPostgres()
after(() => server.close())
// As replicas do: each has connections of its own.
const replicas = [
  await openStores({ store: server.url, clock: systemClock }),
  await openStores({ store: server.url, clock: systemClock }),
  await openStores({ store: server.url, clock: systemClock }),
]
after(() => Promise.all(replicas.map((stores) => stores.close())))
const [first, second] = replicas
assert.ok(first && second)

test('of several replicas that would make the first admin at one moment one does', async () => {
  const claims = await Promise.allSettled(
    replicas.map(async ({ accounts }, index) => {
      const setup = new Setup(accounts, systemClock)
      await setup.offer('shown-once')
      return setup.claim('shown-once', `boss${index}@example.org`, 'secret')
    }),
  )
  const found = await first.accounts.list(10)

  const refused = claims.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []))
  assert.deepEqual(refused, ['SETUP_REFUSED', 'SETUP_REFUSED'])
  assert.equal(found.filter(({ role }) => role === 'admin').length, 1)
})

test('of two replicas that get one refresh token at one moment one gives, and that is void', async () => {
  const id = await first.accounts.register('ann@example.org', 'secret')

  for (let times = 0; times < 20; times++) {
    const { refreshToken } = await first.accounts.tokens.issuePair(id)
    const both: PromiseSettledResult<TokenPair>[] = await Promise.allSettled(
      [first, second].map(({ accounts }) => accounts.tokens.refresh(refreshToken)),
    )
    const given = both.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    assert.equal(given.length, 1)
    const again = first.accounts.tokens.refresh(given[0]?.refreshToken ?? '')
    await assert.rejects(again, { code: 'TOKEN_REFUSED' })
  }
})

test('a database that lets nobody in is named, without its password', async () => {
  const store = server.url.replace(/postgres$/, 'no_such_database')

  await assert.rejects(openStores({ store, clock: systemClock }), (error: Error) => {
    assert.equal((error as { code?: string }).code, 'STORE_INVALID')
    assert.match(error.message, /no_such_database/)
    assert.doesNotMatch(error.message, /pg-secret/)
    return true
  })
})
