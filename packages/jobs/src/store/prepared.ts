import type { CompiledQuery, Kysely, QueryResult } from 'kysely'
import type { Tables } from './tables.ts'

/** Stands for a value that is given when the statement runs. */
class Parameter {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/** Returns what stands in a statement for the value called `name`. */
export type Named = <Value>(name: string) => Value

/**
 * Returns a statement that is built once and run with other values each time: for SQLite, building a
 * statement takes longer than running it.
 */
export function prepared<Row>(
  build: (named: Named) => CompiledQuery<Row>,
): (db: Kysely<Tables>, values: Readonly<Record<string, unknown>>) => Promise<QueryResult<Row>> {
  let compiled: CompiledQuery<Row> | undefined
  return (db, values) => {
    compiled ??= build(<Value>(name: string) => new Parameter(name) as Value)
    const parameters = compiled.parameters.map((parameter) => {
      if (!(parameter instanceof Parameter)) return parameter
      const value = values[parameter.name]
      if (value === undefined) throw new TypeError(`no value for ${parameter.name}`)
      return value
    })
    return db.executeQuery({ ...compiled, parameters })
  }
}
