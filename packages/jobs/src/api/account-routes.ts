import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import type { Identity, TokenPair } from '../accounts/tokens.ts'
import { fault } from '../errors.ts'
import { type ApiContext, clientOf, identify } from './context.ts'
import { credentials, disableRequest, idParams, refreshRequest, setupRequest } from './schemas.ts'

const tags = ['accounts']

/** `/v1/tokens`, `/v1/me`, `/v1/setup` and what only admins may do. */
export async function accountRoutes(server: FastifyInstance, context: ApiContext): Promise<void> {
  tokenRoutes(server, context)
  const { accounts, setup } = context
  server.get('/v1/me', { schema: { tags, summary: 'Who I am' } }, async (request) => {
    const { userId, email, role } = await identify(context, request)
    return { id: userId, email, role }
  })
  server.get(
    '/v1/me/webhook-secret',
    { schema: { tags, summary: 'What signs my callbacks' } },
    async (request) => {
      const { userId } = await identify(context, request)
      return { secret: await accounts.webhookSecret(userId) }
    },
  )
  server.post(
    '/v1/me/webhook-secret/rotate',
    { schema: { tags, summary: 'A new secret; the one before signs beside it for a day' } },
    async (request) => {
      const { userId } = await identify(context, request)
      return { secret: await accounts.rotateWebhookSecret(userId) }
    },
  )
  server.post<{ Body: Static<typeof setupRequest> }>(
    '/v1/setup',
    { schema: { tags, body: setupRequest, summary: 'Make the first admin' } },
    async (request) => {
      const { token, email, password } = request.body
      return { id: await setup.claim(token, email, password) }
    },
  )
  server.post(
    '/v1/admin/keys/rotate',
    { schema: { tags, summary: 'Sign tokens with a new key from now on' } },
    async (request) => {
      await identifyAdmin(context, request)
      return { kid: (await accounts.keys.rotate()).kid }
    },
  )
  server.post<{ Params: Static<typeof idParams>; Body: Static<typeof disableRequest> }>(
    '/v1/admin/users/:id/disable',
    { schema: { tags, params: idParams, body: disableRequest, summary: 'End an account' } },
    async (request, reply) => {
      await identifyAdmin(context, request)
      await accounts.setDisabled(request.params.id, request.body.disabled)
      return reply.status(204).send()
    },
  )
}

function tokenRoutes(server: FastifyInstance, context: ApiContext): void {
  const { tokens } = context.accounts
  server.post<{ Body: Static<typeof credentials> }>(
    '/v1/tokens',
    { schema: { tags, body: credentials, summary: 'Log in' } },
    async (request) => {
      const { email, password } = request.body
      const client = clientOf(context, request)
      return tokenView(
        await tokens.issuePair(await context.accounts.login(email, password, client)),
      )
    },
  )
  server.post<{ Body: Static<typeof refreshRequest> }>(
    '/v1/tokens/refresh',
    { schema: { tags, body: refreshRequest, summary: 'Change a refresh token for new tokens' } },
    async (request) => tokenView(await tokens.refresh(request.body.refreshToken)),
  )
  server.post(
    '/v1/tokens/revoke',
    { schema: { tags, summary: 'End the token that this request carries' } },
    async (request, reply) => {
      await tokens.revoke(await identify(context, request))
      return reply.status(204).send()
    },
  )
  server.post(
    '/v1/tokens/revoke-all',
    { schema: { tags, summary: 'End all my tokens' } },
    async (request, reply) => {
      await tokens.revokeAll((await identify(context, request)).userId)
      return reply.status(204).send()
    },
  )
}

async function identifyAdmin(context: ApiContext, request: FastifyRequest): Promise<Identity> {
  const identity = await identify(context, request)
  if (identity.role !== 'admin') throw fault('NOT_ALLOWED', 'only an admin may do that')
  return identity
}

function tokenView({ accessToken, refreshToken, expiresInMs }: TokenPair) {
  return { accessToken, refreshToken, expiresInMs, tokenType: 'bearer' }
}
