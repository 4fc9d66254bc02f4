import { CompiledQuery } from 'kysely'
import type { Database } from './database.ts'

/** Rows of one statement: any number of rows makes a few statements, each of which is prepared once. */
const sizes = [128, 16, 4, 1] as const

/**
 * Returns what makes the statements for any number of rows. `text` is given the rows as SQL, as in
 * `values ($1, $2), ($3, $4)`; each has `width` values. Building a statement anew each time takes
 * longer than running it.
 */
export function rowsStatement<Row>(
  kind: Database['kind'],
  width: number,
  text: (rows: string) => string,
): (rows: readonly (readonly unknown[])[]) => CompiledQuery<Row>[] {
  const texts = new Map<number, string>()
  const textOf = (size: number): string => {
    const known = texts.get(size)
    if (known !== undefined) return known
    const made = text(Array.from({ length: size }, (_, row) => oneRow(kind, width, row)).join(','))
    texts.set(size, made)
    return made
  }
  return (rows) => {
    const statements: CompiledQuery<Row>[] = []
    let at = 0
    for (const size of sizes)
      for (; rows.length - at >= size; at += size)
        statements.push(CompiledQuery.raw(textOf(size), rows.slice(at, at + size).flat()))
    return statements
  }
}

function oneRow(kind: Database['kind'], width: number, row: number): string {
  const values = Array.from({ length: width }, (_, at) => placeholder(kind, row * width + at + 1))
  return `(${values.join(',')})`
}

/** How parameter number `place`, from 1 on, stands in a statement; they come in their order. */
export function placeholder(kind: Database['kind'], place: number): string {
  return kind === 'postgres' ? `$${place}` : '?'
}

/** A condition on texts that are one parameter, so that it is the same however many there are. */
export function isOneOf(kind: Database['kind'], column: string, place: number): string {
  return kind === 'postgres'
    ? `${column} = any(${placeholder(kind, place)}::text[])`
    : `${column} in (select value from json_each(${placeholder(kind, place)}))`
}

/** The value of the parameter of `isOneOf`. */
export function textsValue(kind: Database['kind'], texts: readonly string[]): unknown {
  return kind === 'postgres' ? texts : JSON.stringify(texts)
}
