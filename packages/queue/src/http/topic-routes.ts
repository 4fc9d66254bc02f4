import type { Static } from '@drover/kernel'
import type {} from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { fault } from '../errors.ts'
import type { QueueEngine } from '../queue-engine.ts'
import { MorePartitions, NewTopic, TopicPath } from './schemas.ts'

type TopicParams = Static<typeof TopicPath>

/** Making, listing, growing, emptying and deleting topics. */
export function addTopicRoutes(server: FastifyInstance, engine: QueueEngine): void {
  const tags = ['topics']
  server.get('/v1/topics', { schema: { summary: 'List topics', tags } }, async () => ({
    topics: await engine.topics(),
  }))
  server.post(
    '/v1/topics',
    { schema: { summary: 'Make a topic', tags, body: NewTopic } },
    async (request, reply) => {
      const { name, options = {} } = request.body as Static<typeof NewTopic>
      reply.status(201)
      return engine.createTopic(name, options as Parameters<QueueEngine['createTopic']>[1])
    },
  )
  server.get(
    '/v1/topics/:topic',
    {
      schema: { summary: 'One topic, with the bounds of its partitions', tags, params: TopicPath },
    },
    async (request) => {
      const { topic } = request.params as TopicParams
      const info = (await engine.topics()).find(({ name }) => name === topic)
      if (!info) throw fault('TOPIC_UNKNOWN', `no topic is called "${topic}"`)
      return engine.lacks.has('replay') ? info : { ...info, bounds: await engine.bounds(topic) }
    },
  )
  server.delete(
    '/v1/topics/:topic',
    { schema: { summary: 'Delete a topic with its messages', tags, params: TopicPath } },
    async (request, reply) => {
      await engine.deleteTopic((request.params as TopicParams).topic)
      return reply.status(204).send()
    },
  )
  server.post(
    '/v1/topics/:topic/partitions',
    { schema: { summary: 'Add partitions', tags, params: TopicPath, body: MorePartitions } },
    async (request) => {
      const { count } = request.body as Static<typeof MorePartitions>
      return {
        partitions: await engine.addPartitions((request.params as TopicParams).topic, count),
      }
    },
  )
  server.post(
    '/v1/topics/:topic/purge',
    { schema: { summary: 'Remove every message', tags, params: TopicPath } },
    async (request) => ({ removed: await engine.purge((request.params as TopicParams).topic) }),
  )
  server.get(
    '/v1/topics/:topic/lag',
    { schema: { summary: 'How far each group is behind', tags, params: TopicPath } },
    async (request) => ({ lag: await engine.lag((request.params as TopicParams).topic) }),
  )
}
