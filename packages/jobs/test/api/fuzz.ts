import fc from 'fast-check'

/** As much of JSON Schema as our OpenAPI document uses. */
export interface Schema {
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: unknown
}

/** Values that mean something, by the name of the field that they fit; the first is always right. */
export type Hints = Readonly<Record<string, readonly unknown[]>>

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', '\0', '__proto__', "' or 1=1 --", '../../etc/passwd', '\u{1f600}'.repeat(20)),
)

/** Returns what draws values that fit the schema, now and then one that means something. */
export function valid(schema: Schema, hints: Hints, name = ''): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map((one) => valid(one, hints, name)))
  const hinted = hints[name]
  if (hinted?.length === 1 && schema.type !== 'object') return fc.constant(hinted[0])
  const drawn = drawnBy(schema, hints, name)
  return hinted === undefined || schema.type === 'object'
    ? drawn
    : fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom(...hinted) },
        { weight: 1, arbitrary: drawn },
      )
}

function drawnBy(schema: Schema, hints: Hints, name: string): fc.Arbitrary<unknown> {
  switch (schema.type) {
    case 'string':
      return textOf(schema)
    case 'integer':
    case 'number':
      return numberOf(schema)
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'array':
      return fc.array(valid(schema.items ?? {}, hints, name), {
        minLength: schema.minItems ?? 0,
        maxLength: (schema.minItems ?? 0) + 3,
      })
    case 'object':
      return objectOf(schema, hints)
    default:
      return fc.jsonValue()
  }
}

function textOf({ pattern, minLength = 0, maxLength = 60 }: Schema): fc.Arbitrary<string> {
  if (pattern !== undefined)
    return fc
      .stringMatching(new RegExp(pattern))
      .filter((text) => [...text].length >= minLength && text.length <= maxLength)
  const fits = (text: string) => [...text].length >= minLength && text.length <= maxLength
  const long = fc.constant('x'.repeat(maxLength))
  return fc.oneof(anyText.filter(fits), maxLength < 10_000 ? long : anyText.filter(fits))
}

function numberOf({ minimum = -1_000, maximum = 1_000 }: Schema): fc.Arbitrary<number> {
  return fc.oneof(fc.integer({ min: minimum, max: maximum }), fc.constantFrom(minimum, maximum))
}

function objectOf(schema: Schema, hints: Hints): fc.Arbitrary<object> {
  const fields = Object.entries(schema.properties ?? {}).map(
    ([name, own]) => [name, valid(own, hints, name)] as const,
  )
  const requiredKeys = [...(schema.required ?? [])]
  return fc.record(Object.fromEntries(fields), { requiredKeys, noNullPrototype: true })
}

/** A value with one thing wrong, and the field that the complaint has to name, if there is one. */
export interface Wrong {
  readonly value: unknown
  readonly field: string | undefined
}

/** Returns what draws values of an object that do not fit: no object, or one field wrong. */
export function invalid(schema: Schema, all: Hints): fc.Arbitrary<Wrong> {
  // Nothing else may be wrong, or that would be what is refused.
  const hints = Object.fromEntries(Object.entries(all).map(([name, [first]]) => [name, [first]]))
  const properties = schema.properties ?? {}
  const names = Object.keys(properties)
  const noObject = fc
    .constantFrom<unknown>(null, 5, 'text', true, [], [[]])
    .map((value) => ({ value, field: undefined }))
  const ways: fc.Arbitrary<Wrong>[] = [noObject]
  const change = (field: string, by: (body: Record<string, unknown>) => object) =>
    ways.push(
      objectOf(schema, hints).map((body) => ({
        value: by(body as Record<string, unknown>),
        field,
      })),
    )
  for (const field of schema.required ?? []) change(field, ({ [field]: _gone, ...rest }) => rest)
  for (const field of names)
    for (const wrong of wrongFor(properties[field] ?? {}))
      change(field, (body) => ({ ...body, [field]: wrong }))
  if (schema.additionalProperties === false)
    change('unforeseen', (body) => ({ ...body, unforeseen: 1 }))
  return fc.oneof(...ways)
}

/** Values that never fit, whatever is bent. */
function wrongFor(schema: Schema): unknown[] {
  if (schema.type === 'object') return [5, 'text', [], null]
  if (schema.type === 'array') return [5, 'text', {}, null]
  const { maximum, minimum, maxLength } = schema
  return [
    ...[{}, [[]], { toString: 1 }],
    ...(schema.type === 'integer' ? [1.5, 'text', 1e300] : []),
    ...(maximum === undefined ? [] : [maximum + 2]),
    ...(minimum === undefined ? [] : [minimum - 2]),
    ...(maxLength === undefined ? [] : ['x'.repeat(maxLength + 1)]),
    ...(schema.pattern === undefined ? [] : ['\0 \0']),
    ...(schema.type === 'boolean' ? ['no'] : [false]),
  ]
}
