import type { Static } from '@drover/kernel'
import type {} from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { fault } from '../errors.ts'
import type { LeaseOptions, NackOptions, QueueEngine } from '../queue-engine.ts'
import { toJson } from './json-message.ts'
import {
  GroupQuery,
  LeaseWishes,
  PeekQuery,
  Target,
  Tokens,
  TokensBack,
  TokensLonger,
  TopicPath,
} from './schemas.ts'

type TopicParams = Static<typeof TopicPath>

/** Taking work, giving it back, and looking at what waits. */
export function addWorkRoutes(server: FastifyInstance, engine: QueueEngine): void {
  const tags = ['work']
  server.post(
    '/v1/topics/:topic/leases',
    {
      schema: {
        summary: 'Take messages until a deadline',
        tags,
        params: TopicPath,
        body: LeaseWishes,
      },
    },
    async (request, reply) => {
      const { topic } = request.params as TopicParams
      const gone = new AbortController()
      reply.raw.on('close', () => gone.abort())
      const leases = await engine.lease(topic, request.body as LeaseOptions, gone.signal)
      return {
        leases: leases.map(({ token, attempt, deadlineMs, record }) => ({
          ...{ token, attempt, deadlineMs },
          message: toJson(record),
        })),
      }
    },
  )
  server.post(
    '/v1/leases/ack',
    { schema: { summary: 'Done', tags, body: Tokens } },
    async (request) => ({
      outcomes: await engine.ack((request.body as Static<typeof Tokens>).tokens),
    }),
  )
  server.post(
    '/v1/leases/nack',
    { schema: { summary: 'Not done: hand it out again, or call it dead', tags, body: TokensBack } },
    async (request) => {
      const { tokens, ...options } = request.body as Static<typeof TokensBack>
      return { outcomes: await engine.nack(tokens, options as NackOptions) }
    },
  )
  server.post(
    '/v1/leases/extend',
    { schema: { summary: 'Keep it for longer', tags, body: TokensLonger } },
    async (request) => {
      const { tokens, leaseMs } = request.body as Static<typeof TokensLonger>
      return { outcomes: await engine.extend(tokens, leaseMs) }
    },
  )
  addLookRoutes(server, engine)
}

function addLookRoutes(server: FastifyInstance, engine: QueueEngine): void {
  const tags = ['work']
  server.post(
    '/v1/topics/:topic/cancel',
    {
      schema: { summary: 'Take a message from all workers', tags, params: TopicPath, body: Target },
    },
    async (request) => {
      const { topic } = request.params as TopicParams
      return { state: await engine.cancel(topic, targetOf(request.body as Static<typeof Target>)) }
    },
  )
  server.get(
    '/v1/topics/:topic/counts',
    {
      schema: {
        summary: 'What waits, is out, or is delayed',
        tags,
        params: TopicPath,
        querystring: GroupQuery,
      },
    },
    async (request) => {
      const { group } = request.query as Static<typeof GroupQuery>
      return engine.counts((request.params as TopicParams).topic, group)
    },
  )
  server.get(
    '/v1/topics/:topic/peek',
    {
      schema: {
        summary: 'The next messages, not taken',
        tags,
        params: TopicPath,
        querystring: PeekQuery,
      },
    },
    async (request) => {
      const { group, count = 10 } = request.query as Static<typeof PeekQuery>
      const records = await engine.peek((request.params as TopicParams).topic, count, group)
      return { messages: records.map(toJson) }
    },
  )
}

function targetOf({ dedupeKey, partition, offset }: Static<typeof Target>) {
  if (dedupeKey !== undefined) return { dedupeKey }
  if (partition === undefined || offset === undefined)
    throw fault('OPTION_INVALID', 'name a dedupeKey, or a partition and an offset')
  return { partition, offset }
}
