import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Fault } from '@drover/kernel'
import { CompiledQuery, type QueryResult } from 'kysely'
import { openDatabase } from '../../src/store/database.ts'
import { groupCommit, type Write } from '../../src/store/group-commit.ts'
import { migrate } from '../../src/store/migrations.ts'

const database = openDatabase(':memory:')
const { db } = database
await migrate(database)
after(() => db.destroy())

/** Counts transactions on their way to the database, and what of them is soft. */
function counting() {
  const soft: boolean[] = []
  const write = groupCommit((statements, isSoft) => {
    soft.push(isSoft)
    return db.transaction().execute(async (transaction) => {
      const results: QueryResult<unknown>[] = []
      for (const statement of statements) results.push(await transaction.executeQuery(statement))
      return results
    })
  })
  return { write, soft }
}

const insert = (jti: string) =>
  db.insertInto('revoked_tokens').values({ jti, expires_ms: 1 }).compile()

const revoke = (write: Write, jti: string, soft = false) => write([insert(jti)], { soft })

const revoked = async () =>
  (await db.selectFrom('revoked_tokens').select('jti').orderBy('jti').execute()).map(
    ({ jti }) => jti,
  )

test('what is asked for in one turn is one transaction', async () => {
  const { write, soft } = counting()

  await Promise.all(['a1', 'a2', 'a3'].map((jti) => revoke(write, jti)))

  assert.deepEqual(soft, [false])
  assert.deepEqual(await revoked(), ['a1', 'a2', 'a3'])
})

test('a change that fails is undone and told, those beside it are made', async () => {
  const { write } = counting()

  const [good, twice, other] = await Promise.allSettled([
    revoke(write, 'b1'),
    write([insert('b2'), insert('a1')]),
    revoke(write, 'b3'),
  ])

  assert.deepEqual(
    [good, twice, other].map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  assert.deepEqual(await revoked(), ['a1', 'a2', 'a3', 'b1', 'b3'])
})

test('a store that is away is asked once for all', async () => {
  let asked = 0
  const write = groupCommit(async () => {
    asked++
    throw new Fault('STORE_UNAVAILABLE', { status: 503, retry: 'later' }, 'away')
  })

  const all = await Promise.allSettled(['c1', 'c2', 'c3'].map((jti) => revoke(write, jti)))

  assert.ok(all.every(({ status }) => status === 'rejected'))
  assert.equal(asked, 1)
})

test('each change is told what its own statements led to', async () => {
  const { write } = counting()
  const echo = (value: string) => CompiledQuery.raw('select ? as value', [value])

  const results = await Promise.all([write([echo('1'), echo('2')]), write([]), write([echo('3')])])

  assert.deepEqual(
    results.map((one) => one.flatMap(({ rows }) => rows)),
    [[{ value: '1' }, { value: '2' }], [], [{ value: '3' }]],
  )
})

test('only a transaction of hints alone does without the disk, and the next does not', async () => {
  const mode = (soft: boolean) => {
    const query = CompiledQuery.raw('pragma synchronous') as CompiledQuery<{ synchronous: number }>
    return database.write([query], { soft })
  }

  const alone = await mode(true)
  const [mixed] = await Promise.all([mode(true), mode(false)])
  await mode(true)
  const plain = await db.executeQuery(CompiledQuery.raw('pragma synchronous'))
  const hard = await mode(false)

  assert.deepEqual(
    [...alone, ...mixed, plain, ...hard].map(({ rows }) => rows[0]),
    [1, 2, 2, 2].map((synchronous) => ({ synchronous })),
  )
})
