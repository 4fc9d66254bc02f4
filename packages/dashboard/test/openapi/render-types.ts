/** A JSON Schema as fastify's documents have it: everything in place, no references. */
interface Schema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly patternProperties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly nullable?: boolean
}

interface Operation {
  readonly summary?: string
  readonly parameters?: readonly {
    readonly in: string
    readonly name: string
    readonly required?: boolean
    readonly schema: Schema
  }[]
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema?: Schema }>>
  }
  readonly responses?: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> }>
  >
}

/** An OpenAPI document, as far as types are made of it. */
export interface Document {
  readonly info: { readonly title: string }
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

/**
 * Returns a TypeScript file with one interface called `name`: a member for each route of the document, with
 * what its path, query and body take and what its answer is. Routes that nobody wants are left out.
 */
export function renderTypes(
  name: string,
  document: Document,
  isWanted: (route: string) => boolean,
): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, one]) => [`${method.toUpperCase()} ${path}`, one] as const,
    ),
  )
  const routes = new Map(operations)
  const wanted = [...routes.keys()].filter(isWanted).sort()
  const members = wanted.map((route) => renderRoute(route, routes.get(route) ?? {}))
  return `// Made from /openapi.json (${document.info.title}); make it anew by WRITE_DOCS=1 npm test -- openapi

export interface ${name} {
${members.join('\n')}
}
`
}

function renderRoute(route: string, operation: Operation): string {
  const { summary, parameters = [], requestBody, responses = {} } = operation
  const parts = [
    ...renderParameters('path', parameters),
    ...renderParameters('query', parameters),
    ...renderBody(requestBody),
    `answer: ${renderAnswer(responses)}`,
  ]
  const comment = summary === undefined ? '' : `  /** ${summary.replaceAll('*/', '')} */\n`
  return `${comment}  '${route}': {\n${parts.map((part) => `    ${part}\n`).join('')}  }`
}

function renderParameters(
  place: 'path' | 'query',
  parameters: NonNullable<Operation['parameters']>,
): string[] {
  const own = parameters.filter((one) => one.in === place)
  if (own.length === 0) return []
  const fields = own.map(({ name, required, schema }) => {
    const mark = required && !('default' in schema) ? '' : '?'
    return `${key(name)}${mark}: ${renderType(schema)}`
  })
  return [`${place}: { ${fields.join('; ')} }`]
}

function renderBody(body: Operation['requestBody']): string[] {
  const schema = body?.content['application/json']?.schema
  return schema ? [`body: ${renderType(schema)}`] : []
}

function renderAnswer(responses: NonNullable<Operation['responses']>): string {
  const good = Object.entries(responses).find(([status]) => status.startsWith('2'))
  const schema = good?.[1].content?.['application/json']?.schema
  return schema ? renderType(schema) : 'unknown'
}

function renderType(schema: Schema): string {
  const { anyOf, enum: words, type } = schema
  if (schema.const !== undefined) return literal(schema.const)
  if (words) return words.map(literal).join(' | ')
  if (anyOf) return [...new Set(anyOf.map(renderType))].join(' | ')
  if (Array.isArray(type))
    return type.map((one) => renderType({ ...schema, type: one })).join(' | ')
  if (type === 'array') return `(${schema.items ? renderType(schema.items) : 'unknown'})[]`
  if (type === 'object' || schema.properties) return renderObject(schema)
  if (type === 'integer' || type === 'number') return 'number'
  if (type === 'string' || type === 'boolean' || type === 'null') return type
  return 'unknown'
}

function renderObject(schema: Schema): string {
  const { properties, required = [], additionalProperties, patternProperties } = schema
  const values = patternProperties
    ? Object.values(patternProperties)[0]
    : typeof additionalProperties === 'object' && Object.keys(additionalProperties).length > 0
      ? additionalProperties
      : undefined
  if (!properties || Object.keys(properties).length === 0)
    return `Record<string, ${values ? renderType(values) : 'unknown'}>`
  const fields = Object.entries(properties).map(([name, field]) => {
    const mark = required.includes(name) ? '' : '?'
    return `${key(name)}${mark}: ${renderType(field)}`
  })
  return `{ ${fields.join('; ')} }`
}

function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value.replaceAll("'", "\\'")}'` : String(value)
}

function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : `'${name}'`
}
