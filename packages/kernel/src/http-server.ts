import type { FastifyInstance, FastifyReply } from 'fastify'
import { describeComplaints } from './complaints.ts'
import { fault } from './errors.ts'
import { describeError, Fault, toProblem } from './fault.ts'
import { lazySchemas } from './lazy-schemas.ts'
import type { Log } from './log.ts'

/** What an HTTP API of ours is called in its OpenAPI document, and how much it takes. */
export interface HttpServerOptions {
  readonly title: string
  readonly description: string
  readonly log: Log
  /** The largest request body, in bytes. Default 1 MiB. */
  readonly bodyBytesMax?: number
  /** The longest parameter in a path, in characters. Default 100. */
  readonly pathPartLengthMax?: number
  /** Says in the OpenAPI document what `security: [{ bearer: [] }]` of a route means. Default false. */
  readonly bearer?: boolean
}

/**
 * Returns a fastify server with the manners that all our APIs share: faults as problem+json,
 * deadlines on slow clients, `GET /openapi.json`. Where a body must have 7 it refuses `"7"`; in paths
 * and queries all is text. Not for the front door's data plane.
 */
export async function createHttpServer(options: HttpServerOptions): Promise<FastifyInstance> {
  const { title, description, log, bodyBytesMax = 2 ** 20, pathPartLengthMax = 100 } = options
  const { bearer = false } = options
  // Loaded when needed: most processes of the herd serve no such API, and start 150 ms sooner.
  const { fastify } = await import('fastify')
  const { default: swagger } = await import('@fastify/swagger')
  const answerFault = (error: unknown, reply: FastifyReply) => {
    const known = asFault(error)
    if (known.status >= 500) log.error({ cause: describeError(error) }, known.message)
    return reply
      .status(known.status)
      .headers(known.retry === 'later' && known.status === 503 ? { 'retry-after': '1' } : {})
      .type('application/problem+json')
      .send(toProblem(known))
  }
  const server = fastify({
    bodyLimit: bodyBytesMax,
    routerOptions: { maxParamLength: pathPartLengthMax },
    connectionTimeout: 60_000,
    requestTimeout: 30_000,
    forceCloseConnections: true,
    // What is refused before there is a route, as a path that cannot be decoded.
    frameworkErrors: (error, _request, reply) => void answerFault(error, reply),
    schemaController: { compilersFactory: await lazySchemas() },
    ajv: {
      customOptions: { removeAdditional: false, coerceTypes: true, allErrors: true, verbose: true },
    },
    schemaErrorFormatter: (complaints, where) => new Error(describeComplaints(complaints, where)),
  })
  await server.register(swagger, {
    openapi: {
      ...{ openapi: '3.1.0', info: { title, description, version: '1' } },
      ...(bearer
        ? { components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } } }
        : {}),
    },
  })
  server.get('/openapi.json', { schema: { hide: true } }, () => server.swagger())
  server.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0]
    return reply.send(fault('NOT_FOUND', `no ${request.method} ${path} here; see /openapi.json`))
  })
  server.setErrorHandler((error, _request, reply) => answerFault(error, reply))
  return server
}

/** Names anything that a route threw: a fault, a complaint of fastify's, or something unforeseen. */
function asFault(error: unknown): Fault {
  if (error instanceof Fault) return error
  const { statusCode, message } = error as { statusCode?: number; message?: string }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return new Fault('REQUEST_INVALID', { status: statusCode, retry: 'never' }, message ?? '', {
      cause: error,
    })
  return fault('INTERNAL', 'something failed here; the log says what', { cause: error })
}
