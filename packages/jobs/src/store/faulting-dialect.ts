import type { DatabaseConnection, Dialect, Driver } from 'kysely'
import { fault } from '../errors.ts'

/** Returns `dialect`, except that a database which cannot be reached throws STORE_UNAVAILABLE. */
export function faultingDialect(dialect: Dialect): Dialect {
  return {
    createAdapter: () => dialect.createAdapter(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createDriver: () => faultingDriver(dialect.createDriver()),
  }
}

function faultingDriver(driver: Driver): Driver {
  const inner = new WeakMap<DatabaseConnection, DatabaseConnection>()
  const innerOf = (connection: DatabaseConnection) => inner.get(connection) ?? connection
  return {
    init: () => named(driver.init()),
    async acquireConnection() {
      const connection = await named(driver.acquireConnection())
      const outer: DatabaseConnection = {
        executeQuery: (query) => named(connection.executeQuery(query)),
        streamQuery: (query, chunk) => connection.streamQuery(query, chunk),
      }
      inner.set(outer, connection)
      return outer
    },
    beginTransaction: (one, settings) => named(driver.beginTransaction(innerOf(one), settings)),
    commitTransaction: (one) => named(driver.commitTransaction(innerOf(one))),
    rollbackTransaction: (one) => named(driver.rollbackTransaction(innerOf(one))),
    releaseConnection: (one) => driver.releaseConnection(innerOf(one)),
    destroy: () => driver.destroy(),
  }
}

/** Resolves as `work` does; a database that cannot be reached throws STORE_UNAVAILABLE. */
export async function named<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (cause) {
    if (!isAway(cause)) throw cause
    throw fault('STORE_UNAVAILABLE', 'the store does not answer', { cause })
  }
}

/**
 * PostgreSQL's classes for lost connections, deadlocks, shutting down and too many clients; SQLite's
 * busy.
 */
const awayCodes = /^(08|40|53|57P|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|ENOENT|EHOSTUNREACH|EAI_)/

function isAway(error: unknown): boolean {
  const { code, errcode, message } = error as { code?: string; errcode?: number; message?: string }
  if (code === 'ERR_SQLITE_ERROR') return errcode !== undefined && [5, 6].includes(errcode & 0xff)
  if (code !== undefined) return awayCodes.test(code)
  return /terminated|timeout exceeded|not queryable|Client has encountered/i.test(message ?? '')
}
