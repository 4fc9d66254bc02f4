import { type Static, Type } from '@drover/kernel'
import type {} from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'

import type { QueueEngine } from '../queue-engine.ts'
import { Commit, GroupPath, Joining, MemberPath } from './schemas.ts'

type GroupParams = Static<typeof GroupPath>
type MemberParams = Static<typeof MemberPath>
const PlacePath = Type.Object({ ...GroupPath.properties, partition: Type.Integer({ minimum: 0 }) })

/** Groups that read by offset: who reads what, and how far they are. */
export function addGroupRoutes(server: FastifyInstance, engine: QueueEngine): void {
  const tags = ['groups']
  const member = '/v1/topics/:topic/groups/:group/members/:member'
  server.put(
    member,
    { schema: { summary: 'Enter a group', tags, params: MemberPath, body: Joining } },
    async (request) => {
      const { topic, group, member: name } = request.params as MemberParams
      return engine.join(topic, group, name, (request.body as Static<typeof Joining>).sessionMs)
    },
  )
  server.post(
    `${member}/heartbeat`,
    {
      schema: {
        summary: 'Keep the place; answers what is to be read now',
        tags,
        params: MemberPath,
      },
    },
    async (request) =>
      engine.heartbeat({ ...(request.params as MemberParams), generation: 0, partitions: [] }),
  )
  server.delete(
    member,
    { schema: { summary: 'Leave', tags, params: MemberPath } },
    async (request, reply) => {
      await engine.leave({ ...(request.params as MemberParams), generation: 0, partitions: [] })
      return reply.status(204).send()
    },
  )
  server.get(
    '/v1/topics/:topic/groups/:group/offsets',
    { schema: { summary: 'The committed offsets', tags, params: GroupPath } },
    async (request) => {
      const { topic, group } = request.params as GroupParams
      return { offsets: Object.fromEntries(await engine.committed(topic, group)) }
    },
  )
  server.put(
    '/v1/topics/:topic/groups/:group/offsets/:partition',
    {
      schema: {
        summary: 'Commit: everything before the offset is done',
        tags,
        params: PlacePath,
        body: Commit,
      },
    },
    async (request, reply) => {
      const { topic, group, partition } = request.params as GroupParams & { partition: number }
      const { offset, member: name, generation } = request.body as Commit
      // The generation alone decides at the broker; the list of partitions is the client's memory.
      const membership =
        name === undefined || generation === undefined
          ? undefined
          : { topic, group, member: name, generation, partitions: [partition] }
      await engine.commit(topic, group, partition, offset, membership)
      return reply.status(204).send()
    },
  )
}
