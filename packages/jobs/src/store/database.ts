import { type CompiledQuery, Kysely, PostgresDialect, type QueryResult } from 'kysely'
import pg from 'pg'
import { faultingDialect, named } from './faulting-dialect.ts'
import { groupCommit, type Write } from './group-commit.ts'
import { type How, SqliteClient } from './sqlite-client.ts'
import { sqliteDialect, toResult } from './sqlite-dialect.ts'
import type { Tables } from './tables.ts'

/** One of the two databases, open. */
export interface Database {
  readonly kind: 'sqlite' | 'postgres'
  readonly db: Kysely<Tables>
  /** How changes of the way of a job are made. Durable when it resolves, unless soft. */
  readonly write: Write
  /** Reads by several statements in one go. */
  readonly read: Read
}

type Read = <Row>(statements: readonly CompiledQuery<Row>[]) => Promise<readonly QueryResult<Row>[]>

/**
 * Opens the store that `location` names: `postgres://…`, or else the path of a file for SQLite
 * (`:memory:` for none). `connections` are the most to PostgreSQL.
 */
export function openDatabase(location: string, connections = 4): Database {
  if (/^postgres(ql)?:/.test(location)) {
    const db = openPostgres(location, connections)
    // It gathers commits by itself.
    const read: Read = (all) => Promise.all(all.map((one) => db.executeQuery(one)))
    return { kind: 'postgres', db, write: (statements) => transact(db, statements), read }
  }
  const client = new SqliteClient(location)
  const db = new Kysely<Tables>({ dialect: faultingDialect(sqliteDialect(client)) })
  const run = async <Row>(statements: readonly CompiledQuery<Row>[], how: How) => {
    const outcomes = await named(client.run(statements, how))
    return outcomes.map((outcome) => toResult<Row>(outcome))
  }
  const write = groupCommit((statements, soft) => run(statements, soft ? 'soft' : 'durable'))
  return { kind: 'sqlite', db, write, read: (statements) => run(statements, 'alone') }
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

function transact<Row>(
  db: Kysely<Tables>,
  statements: readonly CompiledQuery<Row>[],
): Promise<readonly QueryResult<Row>[]> {
  return db.transaction().execute(async (transaction) => {
    const results: QueryResult<Row>[] = []
    for (const statement of statements) results.push(await transaction.executeQuery(statement))
    return results
  })
}
