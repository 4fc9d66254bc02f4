import { describeError, Fault, type Log } from '@drover/kernel'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { type CourseAnswer, failure } from './answer.ts'
import { type CourseInput, InputRefused } from './input.ts'
import type { CourseManager } from './manager.ts'
import { type CourseRoute, courseRoutes } from './routes.ts'

/** A message of the largest size fits, even with every character escaped as \u0000. */
const bodyBytesMax = 6 * 1_048_576 + 65_536

/** What one manager of the course serves. */
export interface CourseServerOptions {
  readonly manager: CourseManager
  readonly log: Log
  /** Serves what changes nothing of brokers, topics and messages, and refuses the rest. */
  readonly readOnly: boolean
}

/**
 * Returns the HTTP server of one manager, not listening yet. All that it refuses has the shape of
 * the course's failures, because its clients read nothing else.
 */
export function createCourseServer(options: CourseServerOptions): FastifyInstance {
  const { log } = options
  const server = fastify({
    bodyLimit: bodyBytesMax,
    connectionTimeout: 120_000,
    requestTimeout: 30_000,
    forceCloseConnections: true,
    // A HEAD must not consume a message.
    exposeHeadRoutes: false,
  })
  // The course's clients name the type of what they send, people with curl often do not.
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', { parseAs: 'string' }, (_request, text, done) =>
    done(null, text),
  )
  server.addHook('onRequest', async (request, reply) => {
    const from = request.headers['sec-fetch-site']
    if (from === 'cross-site' || from === 'same-site')
      await send(reply, failure('a page of another site may not use this manager'))
  })
  for (const route of courseRoutes) addRoute(server, options, route)
  server.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0]
    return send(reply, { ...failure(`no ${request.method} ${path} here`), status: 404 })
  })
  server.setErrorHandler((error, _request, reply) => send(reply, answerTo(error, log)))
  return server
}

function addRoute(
  server: FastifyInstance,
  { manager, readOnly }: CourseServerOptions,
  { method, path, primaryOnly, run }: CourseRoute,
): void {
  const refused = failure(`this manager is read-only: send ${method} ${path} to the primary`)
  server.route({
    method,
    url: path,
    handler: async (request, reply) => {
      if (readOnly && primaryOnly) return send(reply, refused)
      return send(reply, await run(manager, inputOf(request)))
    },
  })
}

/** Throws InputRefused for a body that is no JSON object. */
function inputOf(request: FastifyRequest): CourseInput {
  if (request.method === 'GET') return request.query as CourseInput
  let body: unknown
  try {
    body = JSON.parse(String(request.body ?? ''))
  } catch (cause) {
    throw new InputRefused('the body is no JSON', { cause })
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new InputRefused('the body is no JSON object')
  return body as CourseInput
}

function send(reply: FastifyReply, { status, body }: CourseAnswer): FastifyReply {
  return reply.status(status).type('application/json').send(JSON.stringify(body))
}

/** Names anything that was thrown. Clients know 400 and 500 alone. */
function answerTo(error: unknown, log: Log): CourseAnswer {
  if (error instanceof InputRefused) return error.answer
  if (error instanceof Fault) {
    if (error.status < 500 || error.retry === 'never') return failure(error.message)
    log.error({ cause: describeError(error) }, error.message)
    return { ...failure(error.message), status: 500 }
  }
  const { statusCode, message } = error as { statusCode?: number; message?: string }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return failure(message ?? 'the request is malformed')
  log.error({ cause: describeError(error) }, 'a request of the course failed')
  return { ...failure('something failed here; the log says what'), status: 500 }
}
