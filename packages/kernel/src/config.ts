import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { parseDocument } from 'yaml'
import { withDefaults } from './config-defaults.ts'
import { fault } from './errors.ts'
import { describeError } from './fault.ts'
import { nearest } from './nearest.ts'
import type { Static, TSchema } from './schema.ts'

/** One thing wrong with a configuration. */
export interface ConfigProblem {
  readonly file: string
  /** 1 is the first line. */
  readonly line: number
  /** Where in the document, as `services.web.replicas`; empty for the whole. */
  readonly key: string
  /** What is wrong and what was expected instead. */
  readonly message: string
}

/** Something wrong at a place of the document, found by a check that a schema cannot express. */
export interface Found {
  /** The keys (and list indexes) that lead there; may end in one that the document lacks. */
  readonly path: readonly string[]
  /** What is wrong and what was expected instead. */
  readonly message: string
}

/** Returns the configuration in `file`, checked and with defaults filled in; see `parseConfig`. */
export async function loadConfig<Schema extends TSchema>(
  schema: Schema,
  file: string,
  check?: (value: Static<Schema>) => readonly Found[],
): Promise<Static<Schema>> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    const isAbsent = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    const why = isAbsent ? 'there is no such file' : describeError(cause)
    throw fault('CONFIG_INVALID', `${file}: cannot be read: ${why}`, { cause })
  }
  return parseConfig(schema, text, file, check)
}

/**
 * Returns the YAML (or JSON) `text` checked against `schema` and then by `check`, with its defaults
 * filled in. Throws one CONFIG_INVALID with a line `file:line: key: what was expected` per problem.
 */
export function parseConfig<Schema extends TSchema>(
  schema: Schema,
  text: string,
  file: string,
  check: (value: Static<Schema>) => readonly Found[] = () => [],
): Static<Schema> {
  const { LineCounter, parseDocument } = loadYaml()
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const broken = document.errors.map((error) => ({
    file,
    line: lines.linePos(error.pos[0]).line,
    key: '',
    message: error.message,
  }))
  if (broken.length > 0) throw invalid(broken)

  const value = withDefaults(schema, toPlain(document, file))
  const lineOf = (path: readonly string[]): number => {
    for (let depth = path.length; depth > 0; depth--) {
      const range = rangeOf(document, path.slice(0, depth))
      if (range !== undefined) return lines.linePos(range).line
    }
    return 1
  }
  const misfits = findProblems(schema, value)
  const found = misfits.length > 0 ? misfits : check(value as Static<Schema>)
  const problems = found.map(({ path, message }) => ({
    file,
    line: lineOf(path),
    key: path.join('.'),
    message,
  }))
  if (problems.length > 0) throw invalid(problems)
  return value as Static<Schema>
}

/** The document as plain values. Aliases that multiply without end are refused. */
function toPlain(document: ReturnType<typeof parseDocument>, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) ?? {}
  } catch (cause) {
    throw fault('CONFIG_INVALID', `${file}: its aliases (&name, *name) cannot be resolved`, {
      cause,
    })
  }
}

/** Returns the fault that lists `problems`, for checks that a schema cannot express. */
export function invalid(problems: readonly ConfigProblem[]) {
  const text = problems
    .map(({ file, line, key, message }) => `${file}:${line}: ${key ? `${key}: ` : ''}${message}`)
    .join('\n')
  return fault('CONFIG_INVALID', text)
}

/** The offset of the key (or item) that `path` leads to. */
function rangeOf(
  document: ReturnType<typeof parseDocument>,
  path: readonly string[],
): number | undefined {
  const parent = document.getIn(path.slice(0, -1), true) as
    | { items?: { key?: { value?: unknown; range?: number[] } }[] }
    | undefined
  const pair = parent?.items?.find((item) => String(item?.key?.value) === path.at(-1))
  if (pair?.key?.range) return pair.key.range[0]
  const node = document.getIn(path, true) as { range?: number[] } | undefined
  return node?.range?.[0]
}

/** Loads the reader when it is first needed: it takes 30 ms that commands without a file save. */
function loadYaml(): typeof import('yaml') {
  return createRequire(import.meta.url)('yaml') as typeof import('yaml')
}

/** Loads the checker when it is first needed: it takes 150 ms and 25 MB that most processes save. */
function schemaErrors(schema: TSchema, value: unknown) {
  const load = createRequire(import.meta.url)
  const { Value } = load('typebox/value') as typeof import('typebox/value')
  return Value.Errors(schema, value)
}

/** Lists what is wrong, once per place: the deepest places first found, unions by their alternatives. */
function findProblems(schema: TSchema, value: unknown): Found[] {
  const found = new Map<string, Found>()
  for (const error of schemaErrors(schema, value)) {
    if (error.keyword === 'boolean') continue
    const params = error.params as {
      additionalProperties?: string[]
      requiredProperties?: string[]
    }
    const path = error.instancePath.split('/').slice(1).map(unescapePointer)
    const here = schemaAt(schema, path)
    const add = (at: string[], message: string) => {
      const key = at.join('/')
      if (!found.has(key)) found.set(key, { path: at, message })
    }
    for (const key of params.additionalProperties ?? [])
      add([...path, key], unknownKey(key, keysOf(here)))
    for (const key of params.requiredProperties ?? [])
      add([...path, key], `is missing; expected ${expected(schemaAt(here, [key]))}`)
    if (!params.additionalProperties && !params.requiredProperties)
      add(path, misfit(here, valueAt(value, path)))
  }
  return [...found.values()].filter(({ path }) => !hasDeeper(found, path))
}

/** Holds when a problem inside `path` says more precisely what the one at `path` says. */
function hasDeeper(found: ReadonlyMap<string, Found>, path: readonly string[]): boolean {
  const prefix = path.length === 0 ? '' : `${path.join('/')}/`
  return [...found.keys()].some((key) => key !== path.join('/') && key.startsWith(prefix))
}

function unescapePointer(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~')
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = nearest(key, known)
  if (near !== undefined) return `unknown key; did you mean "${near}"?`
  return known.length > 0 ? `unknown key; known are ${known.join(', ')}` : 'unknown key'
}

/** What a schema may hold, as far as this file looks into it. */
interface Shape {
  readonly type?: string
  readonly const?: unknown
  readonly description?: string
  readonly pattern?: string
  readonly minimum?: number
  readonly exclusiveMinimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly minLength?: number
  /** A secret, which no message may quote. */
  readonly writeOnly?: boolean
  readonly properties?: Record<string, Shape>
  readonly patternProperties?: Record<string, Shape>
  readonly additionalProperties?: Shape | boolean
  readonly items?: Shape
  readonly anyOf?: readonly Shape[]
}

/** The part of `schema` that describes what lies at `path`. */
function schemaAt(schema: Shape, path: readonly string[]): Shape {
  let here = schema
  for (const key of path) here = childOf(here, key) ?? {}
  return here
}

function childOf(schema: Shape, key: string): Shape | undefined {
  const own = schema.properties?.[key] ?? Object.values(schema.patternProperties ?? {})[0]
  if (own) return own
  if (typeof schema.additionalProperties === 'object') return schema.additionalProperties
  if (schema.items) return schema.items
  for (const option of schema.anyOf ?? []) {
    const child = childOf(option, key)
    if (child) return child
  }
  return undefined
}

function keysOf(schema: Shape): string[] {
  return [
    ...Object.keys(schema.properties ?? {}),
    ...(schema.anyOf ?? []).flatMap((option) => keysOf(option)),
  ]
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((here, key) => (here as Record<string, unknown>)?.[key], value)
}

/** Says in words what a schema wants. */
function expected(schema: Shape): string {
  if (schema.anyOf) return schema.anyOf.map(expected).join(' or ')
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  const kind = kinds[schema.type ?? ''] ?? 'something else'
  const text = `${kind}${range(schema)}`
  return schema.type === 'string' && schema.description ? `${text} (${schema.description})` : text
}

/** The bounds of a number: ` from 1 to 5`, ` above 0 and at most 1000`, or nothing. */
function range({ minimum, exclusiveMinimum, maximum }: Shape): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`
  const most = maximum === undefined ? '' : `at most ${maximum}`
  if (exclusiveMinimum !== undefined)
    return ` above ${exclusiveMinimum}${most === '' ? '' : ` and ${most}`}`
  if (minimum !== undefined) return ` of at least ${minimum}`
  return most === '' ? '' : ` of ${most}`
}

const kinds: Record<string, string> = {
  string: 'a text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a table of keys',
  null: 'nothing',
}

/** Says what was expected in place of `value`, and which of a few known words is near it. */
function misfit(schema: Shape, value: unknown): string {
  const words = (schema.anyOf ?? []).flatMap((option) =>
    typeof option.const === 'string' ? [option.const] : [],
  )
  const near = typeof value === 'string' ? nearest(value, words) : undefined
  const quotes = near === undefined && wouldFitQuoted(schema, value) ? '; put it in quotes' : ''
  const hint = near === undefined ? quotes : `; did you mean "${near}"?`
  const seen = schema.writeOnly ? 'the one given' : shown(value)
  return `expected ${expected(schema)}, not ${seen}${hint}`
}

/** YAML reads 8080 as a number, also where a text is wanted that may be just digits. */
function wouldFitQuoted(schema: Shape, value: unknown): boolean {
  if (typeof value !== 'number' && typeof value !== 'boolean') return false
  return (schema.anyOf ?? [schema]).some(
    ({ type, pattern = '' }) => type === 'string' && new RegExp(pattern).test(String(value)),
  )
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
