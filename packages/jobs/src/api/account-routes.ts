import type { Static } from '@drover/kernel'
import type { FastifyInstance } from 'fastify'
import type { TokenPair } from '../accounts/tokens.ts'
import { type ApiContext, clientOf, identify, keepNowhere } from './context.ts'
import {
  credentials,
  passwordRequest,
  refreshRequest,
  revokeRequest,
  setupRequest,
} from './schemas.ts'
import { answers, me, nothing, onlyId, secret, tokens as tokenPair } from './views.ts'

const tags = ['accounts']

/** `/v1/tokens`, `/v1/me` and `/v1/setup`. */
export async function accountRoutes(server: FastifyInstance, context: ApiContext): Promise<void> {
  loginRoutes(server, context)
  revokeRoutes(server, context)
  ownRoutes(server, context)
  secretRoutes(server, context)
  server.post<{ Body: Static<typeof setupRequest> }>(
    '/v1/setup',
    {
      schema: {
        tags,
        body: setupRequest,
        summary: 'Make the first admin',
        response: answers(200, onlyId),
      },
    },
    async (request) => {
      const { token, email, password } = request.body
      return { id: await context.setup.claim(token, email, password) }
    },
  )
}

function loginRoutes(server: FastifyInstance, context: ApiContext): void {
  const { tokens } = context.accounts
  const response = answers(200, tokenPair)
  server.post<{ Body: Static<typeof credentials> }>(
    '/v1/tokens',
    { schema: { tags, body: credentials, summary: 'Log in', response } },
    async (request, reply) => {
      const { email, password } = request.body
      keepNowhere(reply)
      const client = clientOf(context, request)
      return tokenView(
        await tokens.issuePair(await context.accounts.login(email, password, client)),
      )
    },
  )
  server.post<{ Body: Static<typeof refreshRequest> }>(
    '/v1/tokens/refresh',
    {
      schema: {
        tags,
        body: refreshRequest,
        summary: 'Change a refresh token for new ones',
        response,
      },
    },
    async (request, reply) => {
      keepNowhere(reply)
      return tokenView(await tokens.refresh(request.body.refreshToken))
    },
  )
}

function revokeRoutes(server: FastifyInstance, context: ApiContext): void {
  const { tokens } = context.accounts
  const summary = 'End the token that this request carries, and a login by its refresh token'
  server.post<{ Body: Static<typeof revokeRequest> }>(
    '/v1/tokens/revoke',
    {
      // It may come without a body.
      preValidation: async (request) => {
        if (request.body === undefined) request.body = {}
      },
      schema: { tags, summary, body: revokeRequest, response: nothing },
    },
    async (request, reply) => {
      const identity = await identify(context, request)
      const { refreshToken } = request.body
      if (refreshToken !== undefined) await tokens.endLogin(refreshToken)
      await tokens.revoke(identity)
      return reply.status(204).send()
    },
  )
  server.post(
    '/v1/tokens/revoke-all',
    { schema: { tags, summary: 'End all my tokens', response: nothing } },
    async (request, reply) => {
      await tokens.revokeAll((await identify(context, request)).userId)
      return reply.status(204).send()
    },
  )
}

function ownRoutes(server: FastifyInstance, context: ApiContext): void {
  const { unfinishedMax, perMinuteMax, schedulesMax } = context.options
  server.get(
    '/v1/me',
    { schema: { tags, summary: 'Who I am, and what I may', response: answers(200, me) } },
    async (request) => {
      const { userId, email, role, quota } = await identify(context, request)
      const may = { unfinishedMax, perMinuteMax, schedulesMax, ...quota }
      return { id: userId, email, role, quota: may }
    },
  )
  server.post<{ Body: Static<typeof passwordRequest> }>(
    '/v1/me/password',
    {
      schema: {
        tags,
        body: passwordRequest,
        summary: 'A new password; all my tokens end',
        response: nothing,
      },
    },
    async (request, reply) => {
      const { email } = await identify(context, request)
      const { password, newPassword } = request.body
      await context.accounts.changePassword(
        email,
        password,
        newPassword,
        clientOf(context, request),
      )
      return reply.status(204).send()
    },
  )
}

function secretRoutes(server: FastifyInstance, context: ApiContext): void {
  const { accounts } = context
  const response = answers(200, secret)
  server.get(
    '/v1/me/webhook-secret',
    { schema: { tags, summary: 'What signs my callbacks', response } },
    async (request, reply) => {
      const { userId } = await identify(context, request)
      keepNowhere(reply)
      return { secret: await accounts.webhookSecret(userId) }
    },
  )
  const summary = 'A new secret; the one before signs beside it for a day'
  server.post(
    '/v1/me/webhook-secret/rotate',
    { schema: { tags, summary, response } },
    async (request, reply) => {
      const { userId } = await identify(context, request)
      keepNowhere(reply)
      return { secret: await accounts.rotateWebhookSecret(userId) }
    },
  )
}

function tokenView({ accessToken, refreshToken, expiresInMs }: TokenPair) {
  return { accessToken, refreshToken, expiresInMs, tokenType: 'bearer' }
}
