import type { FastifyServerOptions } from 'fastify'

type Factory = Required<
  NonNullable<NonNullable<FastifyServerOptions['schemaController']>['compilersFactory']>
>
type Compile<Compiled> = (external: unknown, options: unknown) => (schema: unknown) => Compiled
type Validate = ((data: unknown) => unknown) & { errors?: unknown }
type Serialize = (data: unknown) => string

/**
 * Returns what makes fastify compile the schemas of a route when it is first asked, not all of them
 * before it listens: that took a process with thirty routes 0.2 s, and most routes of most processes
 * are never asked. The types of bodies are not adapted.
 */
export async function lazySchemas(): Promise<Factory> {
  const { default: validators } = await import('@fastify/ajv-compiler')
  const { default: serializers } = await import('@fastify/fast-json-stringify-compiler')
  const compile = validators() as unknown as Compile<Validate>
  const lazily = {
    buildValidator: lazy(strict(compile), lazyValidator),
    buildSerializer: lazy(serializers() as unknown as Compile<Serialize>, lazySerializer),
  }
  // Fastify's types of these two want all that ajv puts on its functions; fastify itself does not.
  return lazily as unknown as Factory
}

/** Compiles the schemas of bodies so that `"7"` is not taken for 7. */
function strict(compile: Compile<Validate>): Compile<Validate> {
  return (external, options) => {
    const adapting = compile(external, options)
    const { customOptions } = options as { customOptions: object }
    const as = { ...(options as object), customOptions: { ...customOptions, coerceTypes: false } }
    const exact = compile(external, as)
    return (schema) =>
      ((schema as { httpPart: string }).httpPart === 'body' ? exact : adapting)(schema)
  }
}

function lazy<Compiled>(
  compile: Compile<Compiled>,
  wrap: (compiled: () => Compiled) => Compiled,
): Compile<Compiled> {
  return (external, options) => {
    const build = once(() => compile(external, options))
    return (schema) => wrap(once(() => build()(schema)))
  }
}

/** Fastify reads what was wrong from the function that it called. */
function lazyValidator(compiled: () => Validate): Validate {
  const validate: Validate = (data) => {
    const real = compiled()
    const result = real(data)
    validate.errors = real.errors
    return result
  }
  return validate
}

function lazySerializer(compiled: () => Serialize): Serialize {
  return (data) => compiled()(data)
}

function once<Made>(make: () => Made): () => Made {
  let made: { readonly value: Made } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
