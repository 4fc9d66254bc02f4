/** The part of a JSON Schema that tells defaults. */
interface Shape {
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, Shape>>
  readonly patternProperties?: Readonly<Record<string, Shape>>
  readonly items?: Shape
}

/**
 * Returns `value` with the defaults of `schema` for what it lacks, at every depth. TypeBox's own
 * filling leaves out the values of records, which is where a configuration has most of its knobs.
 */
export function withDefaults(schema: Shape, value: unknown): unknown {
  if (value === undefined) {
    const own = structuredClone(schema.default)
    return own === undefined ? undefined : withDefaults(schema, own)
  }
  if (Array.isArray(value)) {
    const { items } = schema
    return items ? value.map((item) => withDefaults(items, item)) : value
  }
  return typeof value === 'object' && value !== null ? fillObject(schema, value) : value
}

/** Built from entries: a key such as `__proto__` stays a key. */
function fillObject(schema: Shape, value: object): object {
  const { properties = {}, patternProperties = {} } = schema
  const rest = Object.values(patternProperties)[0] ?? {}
  const shapeOf = (key: string) => (Object.hasOwn(properties, key) ? properties[key] : rest) ?? rest
  const given = Object.entries(value).map(([key, item]) => [key, withDefaults(shapeOf(key), item)])
  const added = Object.entries(properties)
    .filter(([key]) => !Object.hasOwn(value, key))
    .map(([key, shape]) => [key, withDefaults(shape, undefined)])
    .filter(([, item]) => item !== undefined)
  return Object.fromEntries([...given, ...added])
}
