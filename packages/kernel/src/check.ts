import { createRequire } from 'node:module'
import type { Ajv } from 'ajv'
import { describeComplaints } from './complaints.ts'
import type { TSchema } from './schema.ts'

let shared: Ajv | undefined

/**
 * Returns a function that says what is wrong with a value, as `/messages/0 must be object`;
 * undefined when it fits `schema`. Compiling takes some ms: do it once for each schema. The checker
 * is loaded with the first one; a process that serves HTTP has it already.
 */
export function compileCheck(schema: TSchema): (value: unknown) => string | undefined {
  shared ??= createAjv()
  const check = shared.compile(schema)
  return (value) => {
    if (check(value)) return undefined
    return describeComplaints(check.errors ?? [], '')
  }
}

function createAjv(): Ajv {
  const load = createRequire(import.meta.url)
  const { Ajv: Class } = load('ajv') as typeof import('ajv')
  return new Class({ strict: false, verbose: true })
}
