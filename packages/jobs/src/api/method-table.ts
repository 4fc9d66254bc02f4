import type { FastifyInstance, HTTPMethods } from 'fastify'
import { fault } from '../errors.ts'

/** What a client may ask for by the methods that HTTP itself knows. */
const methods: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

/**
 * Notes the routes that are added from now on. Call what it returns after the last: the paths then
 * answer other methods by METHOD_REFUSED, and OPTIONS by what they take (RFC 9110, 9.3.7, 15.5.6).
 */
export function createMethodTable(server: FastifyInstance): () => void {
  const known = new Map<string, Set<HTTPMethods>>()
  server.addHook('onRoute', ({ url, method }) => {
    const taken = known.get(url) ?? new Set()
    for (const one of [method].flat()) taken.add(one as HTTPMethods)
    known.set(url, taken)
  })
  return () => {
    for (const [url, taken] of [...known]) addOthers(server, url, new Set(taken))
  }
}

function addOthers(server: FastifyInstance, url: string, taken: ReadonlySet<HTTPMethods>): void {
  const allow = [...taken, 'OPTIONS'].join(', ')
  const schema = { hide: true }
  server.options(url, { schema }, async (_request, reply) =>
    reply.status(204).header('allow', allow).send(),
  )
  server.route({
    ...{ url, schema, method: methods.filter((method) => !taken.has(method)) },
    // Before the body: nobody will look at it.
    onRequest: async ({ method }, reply) => {
      reply.header('allow', allow)
      throw fault('METHOD_REFUSED', `no ${method} here; there is ${allow}`)
    },
    handler: async () => undefined,
  })
}
