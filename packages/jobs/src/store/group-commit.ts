import { Fault } from '@drover/kernel'
import { type Kysely, sql, type Transaction } from 'kysely'
import type { Tables } from './tables.ts'

/** One change, made of statements that may be run again when the first time was rolled back. */
type Work<Result> = (db: Transaction<Tables>) => Promise<Result>

/** What a change may do without. */
interface WriteOptions {
  /**
   * A power cut may undo it, the death of the process does not. For what is only a hint or would be
   * done again: it saves the wait for the disk.
   */
  readonly soft?: boolean
}

/** Makes a change, all of it or nothing. */
export type Write = <Result>(work: Work<Result>, options?: WriteOptions) => Promise<Result>

interface Waiting {
  readonly work: Work<unknown>
  readonly soft: boolean
  readonly resolve: (result: never) => void
  readonly reject: (error: unknown) => void
}

/** Changes of one transaction. */
const groupMax = 1_000

/**
 * Group commit for SQLite: changes that are asked for in the same turn of the event loop become one
 * transaction and wait for the disk once. When one of them fails, the group is rolled back and each is
 * made by itself.
 *
 *   write ─▶ waiting ─▶ begin, work, work, …, commit ─▶ each write resolves
 */
export function groupCommit(db: Kysely<Tables>): Write {
  let waiting: Waiting[] = []
  let running = false

  const run = async () => {
    while (waiting.length > 0) {
      const group = waiting.length <= groupMax ? waiting : waiting.slice(0, groupMax)
      waiting = waiting.slice(group.length)
      await commit(db, group)
      // What was asked for meanwhile, and what these answers lead to, goes together.
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
    running = false
  }
  return (work, { soft = false } = {}) =>
    new Promise((resolve, reject) => {
      waiting.push({ work, soft, resolve, reject })
      if (running) return
      running = true
      setImmediate(run)
    })
}

async function commit(db: Kysely<Tables>, group: readonly Waiting[]): Promise<void> {
  try {
    const results = await transact(db, group)
    for (const [index, { resolve }] of group.entries()) resolve(results[index] as never)
  } catch (error) {
    // A store that is away is away for each of them.
    if (group.length === 1 || error instanceof Fault) for (const { reject } of group) reject(error)
    else for (const one of group) await commit(db, [one])
  }
}

function transact(db: Kysely<Tables>, group: readonly Waiting[]): Promise<unknown[]> {
  const all = async (transaction: Transaction<Tables>) => {
    const results: unknown[] = []
    for (const { work } of group) results.push(await work(transaction))
    return results
  }
  if (!group.every(({ soft }) => soft)) return db.transaction().execute(all)
  return db.connection().execute(async (connection) => {
    await sql`pragma synchronous = normal`.execute(connection)
    try {
      return await connection.transaction().execute(all)
    } finally {
      await sql`pragma synchronous = full`.execute(connection)
    }
  })
}
