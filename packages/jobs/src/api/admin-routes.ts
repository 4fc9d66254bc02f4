import { type Static, Type } from '@drover/kernel'
import type { FastifyInstance } from 'fastify'
import { type ApiContext, identifyAdmin } from './context.ts'
import {
  cursorOf,
  disableRequest,
  idParams,
  pageQuery,
  parseCursor,
  quotaRequest,
  roleRequest,
} from './schemas.ts'
import { accountPage, accountView, answers, nothing } from './views.ts'

const tags = ['admin']

type OneUser<Body> = { Params: Static<typeof idParams>; Body: Body }

/** `/v1/admin`: what only admins may do. */
export async function adminRoutes(server: FastifyInstance, context: ApiContext): Promise<void> {
  const { accounts } = context
  listRoute(server, context)
  userRoutes(server, context)
  const kid = answers(200, Type.Object({ kid: Type.String() }))
  server.post(
    '/v1/admin/keys/rotate',
    { schema: { tags, summary: 'Sign tokens with a new key from now on', response: kid } },
    async (request) => {
      await identifyAdmin(context, request)
      return { kid: (await accounts.keys.rotate()).kid }
    },
  )
}

function listRoute(server: FastifyInstance, context: ApiContext): void {
  server.get<{ Querystring: Static<typeof pageQuery> }>(
    '/v1/admin/users',
    {
      schema: {
        tags,
        querystring: pageQuery,
        summary: 'List accounts, the newest first',
        response: answers(200, accountPage),
      },
    },
    async (request) => {
      await identifyAdmin(context, request)
      const { after, limit } = request.query
      const cursor = parseCursor(after)
      const found = await context.accounts.list(
        limit,
        cursor && { createdMs: cursor.ms, id: cursor.id },
      )
      const last = found.length === limit ? found.at(-1) : undefined
      return {
        users: found.map(accountView),
        ...(last ? { next: cursorOf(last.createdMs, last.id) } : {}),
      }
    },
  )
}

function userRoutes(server: FastifyInstance, context: ApiContext): void {
  const { accounts } = context
  const one = { tags, params: idParams, response: nothing }
  server.post<OneUser<Static<typeof disableRequest>>>(
    '/v1/admin/users/:id/disable',
    { schema: { ...one, body: disableRequest, summary: 'End an account, or open it again' } },
    async (request, reply) => {
      await identifyAdmin(context, request)
      await accounts.setDisabled(request.params.id, request.body.disabled)
      return reply.status(204).send()
    },
  )
  server.post<OneUser<Static<typeof roleRequest>>>(
    '/v1/admin/users/:id/role',
    { schema: { ...one, body: roleRequest, summary: 'Make an account an admin, or a user' } },
    async (request, reply) => {
      await identifyAdmin(context, request)
      await accounts.setRole(request.params.id, request.body.role)
      return reply.status(204).send()
    },
  )
  server.post<OneUser<Static<typeof quotaRequest>>>(
    '/v1/admin/users/:id/quota',
    { schema: { ...one, body: quotaRequest, summary: 'What this account may' } },
    async (request, reply) => {
      await identifyAdmin(context, request)
      await accounts.setQuota(request.params.id, request.body)
      return reply.status(204).send()
    },
  )
}
