import { Fault } from '@drover/kernel'
import type { CompiledQuery, QueryResult } from 'kysely'

/** What a change may do without. */
interface WriteOptions {
  /**
   * A power cut may undo it, the death of the process does not. For what is only a hint or would be
   * done again: it saves the wait for the disk.
   */
  readonly soft?: boolean
}

/** Makes a change of one or more statements, all of it or nothing; returns what each led to. */
export type Write = <Row>(
  statements: readonly CompiledQuery<Row>[],
  options?: WriteOptions,
) => Promise<readonly QueryResult<Row>[]>

/** Runs statements as one transaction. */
export type Transact = (
  statements: readonly CompiledQuery[],
  soft: boolean,
) => Promise<readonly QueryResult<unknown>[]>

interface Waiting {
  readonly statements: readonly CompiledQuery[]
  readonly soft: boolean
  readonly resolve: (results: never) => void
  readonly reject: (error: unknown) => void
}

/** Changes of one transaction. */
const groupMax = 1_000

/**
 * Group commit for SQLite: changes that are asked for in the same turn of the event loop, or while a
 * transaction is under way, become one transaction and wait for the disk once. When one of them fails,
 * the group is rolled back and each is made by itself.
 *
 *   write ─▶ waiting ─▶ begin, statement, statement, …, commit ─▶ each write resolves
 */
export function groupCommit(transact: Transact): Write {
  let waiting: Waiting[] = []
  let running = false

  const run = async () => {
    while (waiting.length > 0) {
      const group = waiting.length <= groupMax ? waiting : waiting.slice(0, groupMax)
      waiting = waiting.slice(group.length)
      await commit(transact, group)
      // What was asked for meanwhile, and what these answers lead to, goes together: whoever gathers
      // asks in the next turn, and is waited for in the one after it.
      for (let turn = 0; turn < 2; turn++)
        await new Promise<void>((resolve) => setImmediate(resolve))
    }
    running = false
  }
  return (statements, { soft = false } = {}) =>
    new Promise((resolve, reject) => {
      waiting.push({ statements, soft, resolve, reject })
      if (running) return
      running = true
      setImmediate(run)
    })
}

async function commit(transact: Transact, group: readonly Waiting[]): Promise<void> {
  try {
    const all = group.flatMap(({ statements }) => statements)
    const results = await transact(
      all,
      group.every(({ soft }) => soft),
    )
    let at = 0
    for (const { statements, resolve } of group) {
      resolve(results.slice(at, at + statements.length) as never)
      at += statements.length
    }
  } catch (error) {
    // A store that is away is away for each of them.
    if (group.length === 1 || error instanceof Fault) for (const { reject } of group) reject(error)
    else for (const one of group) await commit(transact, [one])
  }
}
