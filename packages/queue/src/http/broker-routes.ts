import type { Static } from '@drover/kernel'
import type {} from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import type { BrokerAdmin } from '../queue-engine.ts'
import { BrokerPath, NewBroker } from './schemas.ts'

type BrokerParams = Static<typeof BrokerPath>

/** Brokers that come and go, and which has what. */
export function addBrokerRoutes(server: FastifyInstance, admin: BrokerAdmin): void {
  const tags = ['brokers']
  server.get('/v1/brokers', { schema: { summary: 'List brokers', tags } }, async () => ({
    brokers: await admin.brokers(),
    placement: Object.fromEntries(await admin.placement()),
  }))
  server.post(
    '/v1/brokers',
    {
      schema: {
        summary: 'Add a broker, or one that runs elsewhere; answers when its partitions are there',
        tags,
        body: NewBroker,
      },
    },
    async (request, reply) => {
      const { name, address } = request.body as Static<typeof NewBroker>
      await admin.addBroker(name, address)
      return reply.status(201).send()
    },
  )
  server.delete(
    '/v1/brokers/:broker',
    {
      schema: { summary: 'Move away all that a broker has, and end it', tags, params: BrokerPath },
    },
    async (request, reply) => {
      await admin.removeBroker((request.params as BrokerParams).broker)
      return reply.status(204).send()
    },
  )
  server.post(
    '/v1/brokers/:broker/test',
    {
      schema: {
        summary: 'Write through a broker to its disk and read it back',
        tags,
        params: BrokerPath,
      },
    },
    async (request) => {
      await admin.testBroker((request.params as BrokerParams).broker)
      return { sound: true }
    },
  )
}
