import { Fault } from '@drover/kernel'
import type {
  FastifyInstance,
  FastifyReply,
  onRequestAsyncHookHandler,
  RouteHandlerMethod,
  RouteOptions,
} from 'fastify'
import { type ApiContext, clientOf, identify, keepNowhere, traceOf } from './context.ts'
import { BodyRefused, readJobRequest, readTexts } from './course-fields.ts'
import { receiveSchema, testSchema, tokenSchema, usersSchema } from './course-schemas.ts'

/**
 * The requests of the course, answered byte for byte as its clients expect. What the course does not
 * fix (a queue that is away, too many jobs) comes as problem+json like everywhere else.
 */
export async function courseRoutes(server: FastifyInstance, context: ApiContext): Promise<void> {
  takeBodies(server)
  // The schemas are for the OpenAPI document: what is wrong is said in the course's words.
  server.setValidatorCompiler(() => () => true)
  server.setErrorHandler((error, _request, reply) => {
    if (error instanceof BodyRefused) return refuse(reply, 422, error.detail)
    if (!(error instanceof Fault)) throw error
    if (error.code === 'EMAIL_TAKEN') return refuse(reply, 400, 'Email already registered')
    if (error.code === 'LOGIN_FAILED') return unauthorized(reply, 'Incorrect email or password')
    if (error.code === 'TOKEN_REFUSED') return unauthorized(reply, 'Could not validate credentials')
    if (error.code === 'ACCOUNT_INVALID') return refuse(reply, 422, accountDetail(error))
    throw error
  })
  for (const route of courseTable(context)) {
    const { url, schema } = route
    server.route(route)
    // Clients of the course write it either way.
    const other = url.endsWith('/') ? url.slice(0, -1) : `${url}/`
    server.route({ ...route, url: other, schema: { ...schema, hide: true } })
  }
}

function courseTable(context: ApiContext): readonly RouteOptions[] {
  const { accounts, submitter, options } = context
  const register: RouteHandlerMethod = async ({ body }) => {
    const { email, password } = readTexts(body, ['email', 'password'])
    await accounts.register(email, password)
    return { message: 'User created successfully' }
  }
  const logIn: RouteHandlerMethod = async (request, reply) => {
    const { username, password } = readTexts(request.body, ['username', 'password'])
    const userId = await accounts.login(username, password, clientOf(context, request))
    keepNowhere(reply)
    return { access_token: await accounts.tokens.issue(userId), token_type: 'bearer' }
  }
  const receive: RouteHandlerMethod = async (request) => {
    const { userId: ownerId, quota } = await identify(context, request)
    const wanted = readJobRequest(request.body)
    const [job] = await submitter.submit([wanted], {
      ...{ ownerId, quota, traceparent: traceOf(request) },
    })
    return {
      ...{ success: true, data: { id: options.replicaId, job: job?.id } },
      message: 'message received',
    }
  }
  const tell: RouteHandlerMethod = async () => ({
    ...{ success: true, data: { id: options.replicaId } },
    message: 'request received.',
  })
  // Whoever has no token need not be read.
  const onRequest: onRequestAsyncHookHandler = async (request) => {
    await identify(context, request)
  }
  return [
    { method: 'POST', url: '/users/', schema: usersSchema, handler: register },
    { method: 'POST', url: '/token', schema: tokenSchema, handler: logIn },
    { method: 'POST', url: '/receive_data', schema: receiveSchema, onRequest, handler: receive },
    { method: 'GET', url: '/test_endpoint', schema: testSchema, handler: tell },
  ]
}

/** JSON whatever its type is called, and forms. */
function takeBodies(server: FastifyInstance): void {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', { parseAs: 'string' }, (_request, text, done) => {
    if (text === '') return done(null, undefined)
    try {
      done(null, JSON.parse(String(text)))
    } catch {
      // The error handler says it in the course's words.
      done(new BodyRefused([badJson]))
    }
  })
  server.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, text, done) => done(null, Object.fromEntries(new URLSearchParams(String(text)))),
  )
}

const badJson = { type: 'json_invalid', loc: ['body', 0], msg: 'JSON decode error' } as const

function accountDetail({ message }: Fault) {
  const field = message.split(':')[0] ?? ''
  return [{ type: 'value_error', loc: ['body', field], msg: message }]
}

function unauthorized(reply: FastifyReply, detail: string): FastifyReply {
  return refuse(reply.header('www-authenticate', 'Bearer'), 401, detail)
}

function refuse(reply: FastifyReply, status: number, detail: unknown): FastifyReply {
  return reply.status(status).send({ detail })
}
