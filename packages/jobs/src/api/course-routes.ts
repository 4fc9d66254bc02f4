import { Fault } from '@drover/kernel'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { type ApiContext, clientOf, identify, traceOf } from './context.ts'
import { BodyRefused, readJobRequest, readTexts, urlComplaint } from './course-fields.ts'
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
  for (const url of ['/users', '/users/'])
    server.post(url, { schema: { ...usersSchema, hide: url === '/users' } }, async (request) => {
      const { email, password } = readTexts(request.body, ['email', 'password'])
      await context.accounts.register(email, password)
      return { message: 'User created successfully' }
    })
  server.post('/token', { schema: tokenSchema }, async (request) => {
    const { username, password } = readTexts(request.body, ['username', 'password'])
    const client = clientOf(context, request)
    const userId = await context.accounts.login(username, password, client)
    return { access_token: await context.accounts.tokens.issue(userId), token_type: 'bearer' }
  })
  server.post('/receive_data', { schema: receiveSchema }, async (request) => {
    const { userId: ownerId } = await identify(context, request)
    const wanted = readJobRequest(request.body)
    const options = { ownerId, traceparent: traceOf(request) }
    const [job] = await context.submitter.submit([wanted], options).catch((error) => {
      throw urlComplaint(wanted, error) ?? error
    })
    const data = { id: context.options.replicaId, job: job?.id }
    return { success: true, data, message: 'message received' }
  })
  server.get('/test_endpoint', { schema: testSchema }, async () => ({
    success: true,
    data: { id: context.options.replicaId },
    message: 'request received.',
  }))
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
