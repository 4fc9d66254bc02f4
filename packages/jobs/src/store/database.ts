import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { Kysely, PostgresDialect, type SqliteDatabase, SqliteDialect } from 'kysely'
import pg from 'pg'
import { faultingDialect } from './faulting-dialect.ts'
import { groupCommit, type Write } from './group-commit.ts'
import type { Tables } from './tables.ts'

/** One of the two databases, open. */
export interface Database {
  readonly kind: 'sqlite' | 'postgres'
  readonly db: Kysely<Tables>
  /** How changes of the way of a job are made. Durable when it resolves, unless soft. */
  readonly write: Write
}

/** Memory for pages, so that the jobs of the moment are not read again. */
const cacheKib = 32_768
/** Pages of 4 KiB in the write-ahead log before they go to the file: rarer is less to write. */
const walPages = 8_000
/** How long a statement waits for another process's write, in ms. */
const busyMs = 10_000

/**
 * Opens the store that `location` names: `postgres://…`, or else the path of a file for SQLite
 * (`:memory:` for none). `connections` are the most to PostgreSQL.
 */
export function openDatabase(location: string, connections = 4): Database {
  if (/^postgres(ql)?:/.test(location)) {
    const db = openPostgres(location, connections)
    // It gathers commits by itself.
    return { kind: 'postgres', db, write: (work) => db.transaction().execute(work) }
  }
  const db = openSqlite(location)
  return { kind: 'sqlite', db, write: groupCommit(db) }
}

function openPostgres(location: string, connections: number): Kysely<Tables> {
  const types = new pg.TypeOverrides()
  // Times and counts stay far below 2^53.
  types.setTypeParser(pg.types.builtins.INT8, Number)
  const pool = new pg.Pool({
    connectionString: location,
    max: connections,
    // Also the wait for a connection that others use; a server that is down refuses at once.
    connectionTimeoutMillis: 20_000,
    statement_timeout: 30_000,
    types,
  })
  // The next query finds a lost connection out, idle or in use; without these the process would end.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return new Kysely<Tables>({ dialect: faultingDialect(new PostgresDialect({ pool })) })
}

function openSqlite(path: string): Kysely<Tables> {
  const database = new DatabaseSync(path, { timeout: busyMs })
  database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on')
  database.exec(`pragma cache_size = -${cacheKib}; pragma wal_autocheckpoint = ${walPages}`)
  return new Kysely<Tables>({
    dialect: faultingDialect(new SqliteDialect({ database: adapt(database) })),
  })
}

/** Prepared statements that are kept. */
const statementsMax = 200

/** Gives node:sqlite the shape that kysely knows. */
function adapt(database: DatabaseSync): SqliteDatabase {
  const prepared = new Map<string, StatementSync>()
  const prepare = (text: string): StatementSync => {
    // A transaction that begins by reading could not write once another process has written.
    const statement = database.prepare(text === 'begin' ? 'begin immediate' : text)
    if (prepared.size >= statementsMax) prepared.clear()
    prepared.set(text, statement)
    return statement
  }
  return {
    close: () => database.close(),
    prepare(text) {
      const statement = prepared.get(text) ?? prepare(text)
      const values = (parameters: readonly unknown[]) => parameters as SQLInputValue[]
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...values(parameters)),
        run: (parameters) => statement.run(...values(parameters)),
        iterate: (parameters) => statement.iterate(...values(parameters)),
      }
    },
  }
}
