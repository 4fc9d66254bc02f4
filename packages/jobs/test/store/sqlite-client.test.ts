import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { openDatabase } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrations.ts'

const folder = mkdtempSync(join(tmpdir(), 'drover-sqlite-'))
const path = join(folder, 'jobs.sqlite')
const database = openDatabase(path)
const { db, write } = database
await migrate(database)
after(async () => {
  await db.destroy()
  rmSync(folder, { recursive: true })
})

const insert = (jti: string) => db.insertInto('revoked_tokens').values({ jti, expires_ms: 1 })
const found = async () =>
  (await db.selectFrom('revoked_tokens').select('jti').orderBy('jti').execute()).map(
    ({ jti }) => jti,
  )
const turn = () => new Promise((resolve) => setImmediate(resolve))

test('a transaction has the database to itself until it ends', async () => {
  const order: string[] = []
  const opened = Promise.withResolvers<void>()
  const going = Promise.withResolvers<void>()
  const whole = db.transaction().execute(async (transaction) => {
    await transaction.insertInto('revoked_tokens').values({ jti: 'a1', expires_ms: 1 }).execute()
    opened.resolve()
    await going.promise
    order.push('transaction')
    throw new Error('undone')
  })
  await opened.promise

  const others = [
    found().then((list) => order.push(`read ${list.length}`)),
    write([insert('a2').compile()]).then(() => order.push('write')),
  ]
  for (let turns = 0; turns < 20; turns++) await turn()
  const early = [...order]
  going.resolve()

  await assert.rejects(whole, /undone/)
  await Promise.all(others)
  assert.deepEqual(early, [])
  assert.equal(order[0], 'transaction')
  assert.ok(order.includes('read 0') || order.includes('read 1'))
  assert.deepEqual(await found(), ['a2'])
})

test('a statement that fails says why, and those behind it go on', async () => {
  const [twice, other] = await Promise.allSettled([insert('a2').execute(), insert('a3').execute()])

  assert.equal(twice.status, 'rejected')
  assert.match(String(twice.status === 'rejected' && twice.reason), /UNIQUE constraint/)
  assert.equal(other.status, 'fulfilled')
})

test('who waits for another process to write keeps nobody else of this one waiting', async () => {
  const foreign = new DatabaseSync(path)
  foreign.exec('begin immediate')

  let done = false
  const waiting = write([insert('a4').compile()]).then(() => {
    done = true
  })
  for (let turns = 0; turns < 1_000; turns++) await turn()
  const early = done
  foreign.exec('commit')
  foreign.close()
  await waiting

  assert.equal(early, false)
  assert.ok((await found()).includes('a4'))
})

test('a file that cannot be opened is told to each call, and what is closed to each later one', async () => {
  const broken = openDatabase(join(folder, 'missing', 'jobs.sqlite'))
  await assert.rejects(broken.write([insert('b1').compile()]), /unable to open/)
  await assert.rejects(broken.db.selectFrom('users').selectAll().execute(), /unable to open/)
  await broken.db.destroy()

  await assert.rejects(broken.write([insert('b1').compile()]), /closed/)
})

test('contents are the same bytes when they come back', async () => {
  const packed = Buffer.from([0, 255, 1, 128, 7]).subarray(1, 4)
  await write([
    db
      .insertInto('contents')
      .values({ hash: 'h', packed, bytes: 3, packed_bytes: 3, kept_ms: 1 })
      .compile(),
  ])

  const row = await db.selectFrom('contents').selectAll().executeTakeFirstOrThrow()

  assert.deepEqual([...row.packed], [255, 1, 128])
})
