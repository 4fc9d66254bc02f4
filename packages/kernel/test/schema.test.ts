import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type as TypeBox } from 'typebox'
import { Type } from '../src/schema.ts'

const made = (Maker: typeof Type) => ({
  any: Maker.Any(),
  array: Maker.Array(Maker.String(), { minItems: 1 }),
  boolean: Maker.Boolean({ default: false }),
  integer: Maker.Integer({ minimum: 0, description: 'how many' }),
  literals: [Maker.Literal('a'), Maker.Literal(1), Maker.Literal(true, { description: 'yes' })],
  null: Maker.Null(),
  number: Maker.Number({ exclusiveMinimum: 0 }),
  object: Maker.Object(
    {
      needed: Maker.String(),
      free: Maker.Optional(Maker.Integer({ minimum: 1 })),
      inner: Maker.Object({}, { additionalProperties: false, default: {} }),
    },
    { additionalProperties: false, title: 'outer' },
  ),
  allFree: Maker.Object({ a: Maker.Optional(Maker.String()) }),
  record: Maker.Record(Maker.String(), Maker.Number(), { default: {} }),
  string: Maker.String({ pattern: '^a' }),
  union: Maker.Union([Maker.String(), Maker.Null()], { description: 'or nothing' }),
  unknown: Maker.Unknown({ description: 'whatever' }),
  unsafe: Maker.Unsafe<'a'>(Maker.Union([Maker.Literal('a')])),
})

test('every schema is the JSON that TypeBox itself makes', () => {
  const ours = JSON.parse(JSON.stringify(made(Type)))
  const theirs = JSON.parse(JSON.stringify(made(TypeBox as unknown as typeof Type)))

  assert.deepEqual(ours, theirs)
})

test('an optional property stays optional in an object that is made of another’s properties', () => {
  const first = Type.Object({ a: Type.Optional(Type.String()), b: Type.String() })

  const second = Type.Object({ ...first.properties, c: Type.String() })

  assert.deepEqual(JSON.parse(JSON.stringify(second)).required, ['b', 'c'])
})
