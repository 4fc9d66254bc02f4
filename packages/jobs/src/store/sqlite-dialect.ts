import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import type { Outcome, SqliteClient } from './sqlite-client.ts'

/** Returns what lets kysely work on a database in its thread. */
export function sqliteDialect(client: SqliteClient): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => createDriver(client),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
}

/** Every connection is the same one; a transaction has it to itself until it ends. */
function createDriver(client: SqliteClient): Driver {
  const end = async (connection: DatabaseConnection, how: 'commit' | 'rollback') => {
    await connection.executeQuery(CompiledQuery.raw(how))
    client.leave(connection)
  }
  return {
    init: async () => {},
    acquireConnection: async () => createConnection(client),
    async beginTransaction(connection) {
      await client.enter(connection)
      try {
        // One that begins by reading could not write once another process has written.
        await connection.executeQuery(CompiledQuery.raw('begin immediate'))
      } catch (error) {
        client.leave(connection)
        throw error
      }
    },
    commitTransaction: (connection) => end(connection, 'commit'),
    rollbackTransaction: (connection) => end(connection, 'rollback'),
    releaseConnection: async (connection) => client.leave(connection),
    destroy: () => client.close(),
  }
}

function createConnection(client: SqliteClient): DatabaseConnection {
  const connection: DatabaseConnection = {
    async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
      const [outcome] = await client.run([query], 'alone', connection)
      return toResult(outcome)
    },
    streamQuery() {
      throw new TypeError('a database in a thread of its own streams nothing')
    },
  }
  return connection
}

/** Returns an outcome as kysely has it. */
export function toResult<Row>(outcome: Outcome | undefined): QueryResult<Row> {
  if (!outcome) return { rows: [] }
  if ('changes' in outcome)
    return {
      rows: [],
      numAffectedRows: BigInt(outcome.changes),
      insertId: BigInt(outcome.lastId),
    }
  const { columns, rows } = outcome
  return { rows: rows.map((values) => toRow(columns, values) as Row) }
}

function toRow(columns: readonly string[], values: readonly unknown[]): object {
  const row: Record<string, unknown> = {}
  for (let at = 0; at < columns.length; at++) row[columns[at] as string] = values[at]
  return row
}
