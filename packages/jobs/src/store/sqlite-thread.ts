import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type { Answer, Call, Outcome, Statement } from './sqlite-client.ts'

/** Memory for pages, so that the jobs of the moment are not read again. */
const cacheKib = 32_768
/** Pages of 4 KiB in the write-ahead log before they go to the file: rarer is less to write. */
const walPages = 8_000
/** How long a statement waits for another process's write, in ms. */
const busyMs = 10_000
/** Prepared statements that are kept. */
const statementsMax = 200

interface Prepared {
  readonly statement: StatementSync
  /** Undefined for a statement that returns no rows. */
  readonly columns: readonly string[] | undefined
}

/** The database in its thread; opened at the first call, so that a failure is the answer to it. */
class SqliteThread {
  readonly #path: string
  readonly #prepared = new Map<string, Prepared>()
  #database: DatabaseSync | undefined
  #synchronous = 'full'

  constructor(path: string) {
    this.#path = path
  }

  answer({ id, statements, how }: Call): Answer {
    try {
      const database = this.#open()
      this.#sync(database, how === 'soft' ? 'normal' : 'full')
      const outcomes = how === 'alone' ? this.#all(statements) : this.#transact(statements)
      return { id, outcomes }
    } catch (error) {
      const { message, code, errcode } = error as Error & { code?: string; errcode?: number }
      return { id, error: { message, code, errcode } }
    }
  }

  close(): void {
    this.#database?.close()
  }

  #open(): DatabaseSync {
    if (this.#database) return this.#database
    const database = new DatabaseSync(this.#path, { timeout: busyMs })
    database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on')
    database.exec(`pragma cache_size = -${cacheKib}; pragma wal_autocheckpoint = ${walPages}`)
    this.#database = database
    return database
  }

  #sync(database: DatabaseSync, synchronous: 'full' | 'normal'): void {
    // Within a transaction it could not be changed, and there it is what it has to be.
    if (synchronous === this.#synchronous || database.isTransaction) return
    database.exec(`pragma synchronous = ${synchronous}`)
    this.#synchronous = synchronous
  }

  #transact(statements: readonly Statement[]): readonly Outcome[] {
    const database = this.#open()
    // One that begins by reading could not write once another process has written.
    database.exec('begin immediate')
    try {
      const outcomes = this.#all(statements)
      database.exec('commit')
      return outcomes
    } catch (error) {
      if (database.isTransaction) database.exec('rollback')
      throw error
    }
  }

  #all(statements: readonly Statement[]): readonly Outcome[] {
    return statements.map((statement) => this.#run(statement))
  }

  #run({ sql, parameters }: Statement): Outcome {
    const { statement, columns } = this.#prepared.get(sql) ?? this.#prepare(sql)
    const values = parameters as SQLInputValue[]
    if (columns) return { columns, rows: statement.all(...values) as unknown as unknown[][] }
    const { changes, lastInsertRowid } = statement.run(...values)
    return { changes: Number(changes), lastId: lastInsertRowid }
  }

  #prepare(sql: string): Prepared {
    const statement = this.#open().prepare(sql)
    const columns = statement.columns().map(({ name }) => name)
    // An array is filled, and sent to the other thread, in less time than an object.
    if (columns.length > 0) statement.setReturnArrays(true)
    const prepared = { statement, columns: columns.length > 0 ? columns : undefined }
    if (this.#prepared.size >= statementsMax) this.#prepared.clear()
    this.#prepared.set(sql, prepared)
    return prepared
  }
}

const thread = new SqliteThread(workerData as string)
parentPort?.on('message', (call: Call | 'close') => {
  if (call !== 'close') {
    parentPort?.postMessage(thread.answer(call))
    return
  }
  thread.close()
  parentPort?.close()
})
