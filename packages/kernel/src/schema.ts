import type { Type as TypeBox } from 'typebox'

export type { Static, TSchema } from 'typebox'

type Kind =
  | 'Any'
  | 'Array'
  | 'Boolean'
  | 'Integer'
  | 'Literal'
  | 'Null'
  | 'Number'
  | 'Object'
  | 'Optional'
  | 'Record'
  | 'String'
  | 'Union'
  | 'Unknown'
  | 'Unsafe'

type Schema = Record<string, unknown>

/** Marks a property that may be absent; a symbol, so that it is no part of the JSON Schema. */
const optional = Symbol('optional')

const isOptional = (schema: Schema) => optional in schema

function object(properties: Record<string, Schema>, options: Schema = {}): Schema {
  const required = Object.keys(properties).filter((key) => !isOptional(properties[key] ?? {}))
  return { type: 'object', ...(required.length > 0 ? { required } : {}), properties, ...options }
}

function asOptional(schema: Schema): Schema {
  return Object.defineProperty({ ...schema }, optional, { value: true })
}

const builders: Record<Kind, (...args: never[]) => Schema> = {
  Any: (options: Schema) => ({ ...options }),
  Array: (items: Schema, options: Schema) => ({ type: 'array', items, ...options }),
  Boolean: (options: Schema) => ({ type: 'boolean', ...options }),
  Integer: (options: Schema) => ({ type: 'integer', ...options }),
  Literal: (value: unknown, options: Schema) => ({ type: typeof value, const: value, ...options }),
  Null: (options: Schema) => ({ type: 'null', ...options }),
  Number: (options: Schema) => ({ type: 'number', ...options }),
  Object: object,
  Optional: asOptional,
  Record: (_key: Schema, value: Schema, options: Schema) => ({
    type: 'object',
    patternProperties: { '^.*$': value },
    ...options,
  }),
  String: (options: Schema) => ({ type: 'string', ...options }),
  Union: (anyOf: readonly Schema[], options: Schema) => ({ anyOf, ...options }),
  Unknown: (options: Schema) => ({ ...options }),
  Unsafe: (schema: Schema) => schema,
}

/**
 * The makers of JSON Schemas that this project uses, with TypeBox's own types: what they return is
 * what TypeBox's return, written as JSON. TypeBox itself is some 650 modules, which every process
 * of a herd would load for 0.1 s and 10 MB before it does anything.
 */
export const Type = builders as unknown as Pick<typeof TypeBox, Kind>
