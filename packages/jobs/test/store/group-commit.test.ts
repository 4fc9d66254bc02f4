import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Fault } from '@drover/kernel'
import { sql } from 'kysely'
import { openDatabase } from '../../src/store/database.ts'
import { groupCommit, type Write } from '../../src/store/group-commit.ts'
import { migrate } from '../../src/store/migrations.ts'

const { db } = openDatabase(':memory:')
await migrate({ db, kind: 'sqlite', write: groupCommit(db) })
after(() => db.destroy())

/** Counts transactions on their way to the database. */
function counting() {
  let transactions = 0
  const counted = new Proxy(db, {
    get(target, name) {
      if (name === 'transaction' || name === 'connection') transactions++
      const value = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { write: groupCommit(counted), count: () => transactions }
}

const revoke = (write: Write, jti: string, soft = false) =>
  write(
    (transaction) =>
      transaction.insertInto('revoked_tokens').values({ jti, expires_ms: 1 }).execute(),
    { soft },
  )

const revoked = async () =>
  (await db.selectFrom('revoked_tokens').select('jti').orderBy('jti').execute()).map(
    ({ jti }) => jti,
  )

test('what is asked for in one turn is one transaction', async () => {
  const { write, count } = counting()

  await Promise.all(['a1', 'a2', 'a3'].map((jti) => revoke(write, jti)))

  assert.equal(count(), 1)
  assert.deepEqual(await revoked(), ['a1', 'a2', 'a3'])
})

test('a change that fails is undone and told, those beside it are made', async () => {
  const { write } = counting()

  const [good, twice, other] = await Promise.allSettled([
    revoke(write, 'b1'),
    write(async (transaction) => {
      await revoke((work) => work(transaction), 'b2')
      await revoke((work) => work(transaction), 'a1')
    }),
    revoke(write, 'b3'),
  ])

  assert.deepEqual(
    [good, twice, other].map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  assert.deepEqual(await revoked(), ['a1', 'a2', 'a3', 'b1', 'b3'])
})

test('a store that is away is asked once for all', async () => {
  const { write } = counting()
  let asked = 0
  const away = () => {
    asked++
    throw new Fault('STORE_UNAVAILABLE', { status: 503, retry: 'later' }, 'away')
  }

  const all = await Promise.allSettled([write(away), revoke(write, 'c1'), write(away)])

  assert.ok(all.every(({ status }) => status === 'rejected'))
  assert.equal(asked, 1)
  await revoke(write, 'c1')
  assert.ok((await revoked()).includes('c1'))
})

test('only a transaction of hints alone does without the disk, and the next does not', async () => {
  const { write } = counting()
  const mode = async (soft: boolean) =>
    write(
      async (transaction) =>
        (await sql<{ synchronous: number }>`pragma synchronous`.execute(transaction)).rows[0],
      { soft },
    )

  const alone = await mode(true)
  const [mixed] = await Promise.all([mode(true), mode(false)])
  const hard = await mode(false)

  assert.deepEqual(
    [alone, mixed, hard].map((row) => row?.synchronous),
    [1, 2, 2],
  )
})
