import { type Static, Type } from '@drover/kernel'
import type {} from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { fault } from '../errors.ts'
import { setReplicaFault } from '../replica-fault.ts'
import { drain, groupOf, kill, restart, scale, setPolicy, weigh, writerName } from '../services.ts'
import { readStatus } from '../status.ts'
import {
  acceptedView,
  drainBody,
  type FaultBody,
  faultBody,
  logLineView,
  logsQuery,
  policyBody,
  replicaParams,
  type ServiceView,
  scaleBody,
  serviceParams,
  serviceView,
  weightBody,
} from './schemas.ts'
import type { RouteParts } from './server.ts'

type Of<Params, Body = unknown, Query = unknown> = {
  Params: Params
  Body: Body
  Querystring: Query
}
type ServiceParams = Static<typeof serviceParams>
type ReplicaParams = Static<typeof replicaParams>

const tags = ['services']
const one = '/v1/services/:service'
const replica = `${one}/replicas/:replica`

/** Mounts what concerns one service or replica; a replica is named by its name, id or number. */
export function mountServiceRoutes(server: FastifyInstance, parts: RouteParts): void {
  mountReads(server, parts)
  mountServiceChanges(server, parts)
  mountReplicaChanges(server, parts)
  mountFault(server, parts)
}

function mountReads(server: FastifyInstance, { system, about, streams }: RouteParts): void {
  const views = async () => (await readStatus(system, about())).services

  server.get(
    '/v1/services',
    { schema: { tags, summary: 'Every service', response: { 200: Type.Array(serviceView) } } },
    views,
  )

  server.get<Of<ServiceParams>>(
    one,
    {
      schema: {
        tags,
        summary: 'One service',
        params: serviceParams,
        response: { 200: serviceView },
      },
    },
    async ({ params }) => find(await views(), params.service),
  )

  server.get<Of<ServiceParams, unknown, Static<typeof logsQuery>>>(
    `${one}/logs`,
    {
      schema: {
        tags,
        summary: 'What replicas wrote; with follow=true as server-sent events',
        params: serviceParams,
        querystring: logsQuery,
        response: { 200: Type.Array(logLineView) },
      },
    },
    ({ params, query }, reply) => {
      const group = groupOf(system, params.service)
      const wanted =
        query.replica === undefined ? undefined : writerName(system, params.service, query.replica)
      const lines = group.logs(wanted)
      const kept = query.lines === 0 ? [] : lines.slice(-query.lines)
      if (!query.follow) return reply.send(kept)
      return streams.send(reply, {
        kept,
        follow: (listener) =>
          group.follow((line) => {
            if (wanted === undefined || line.replica === wanted) listener(line)
          }),
      })
    },
  )
}

function mountServiceChanges(server: FastifyInstance, { system }: RouteParts): void {
  const accepted = { 202: acceptedView }
  const common = { tags, params: serviceParams, response: accepted }

  server.post<Of<ServiceParams, Static<typeof scaleBody>>>(
    `${one}/scale`,
    { schema: { ...common, summary: 'Runs this many replicas from now on', body: scaleBody } },
    async ({ params, body }, reply) => {
      const since = system.events.lastId
      await scale(system, params.service, body.replicas)
      return reply.status(202).send({ since })
    },
  )

  server.post<Of<ServiceParams>>(
    `${one}/restart`,
    {
      schema: {
        ...common,
        summary: 'Replaces every replica, one by one; drover.restart.done is its last event',
      },
    },
    ({ params }, reply) => {
      const since = system.events.lastId
      restart(system, params.service)
      return reply.status(202).send({ since })
    },
  )

  server.post<Of<ServiceParams, Static<typeof policyBody>>>(
    `${one}/policy`,
    { schema: { ...common, summary: 'Spreads requests otherwise', body: policyBody } },
    async ({ params, body }, reply) => {
      const since = system.events.lastId
      const { name, key, options } = body
      await setPolicy(system, params.service, {
        name,
        ...(key === undefined ? {} : { key }),
        ...(options ? { options } : {}),
      })
      return reply.status(202).send({ since })
    },
  )
}

function mountReplicaChanges(server: FastifyInstance, { system }: RouteParts): void {
  const common = { tags, params: replicaParams, response: { 202: acceptedView } }

  server.post<Of<ReplicaParams, Static<typeof drainBody>>>(
    `${replica}/drain`,
    {
      schema: {
        ...common,
        summary: 'Gives it nothing new; {"undo":true} takes that back',
        body: drainBody,
      },
      // Nothing at all is as good as an empty object.
      preValidation: async (request) => {
        request.body ??= { undo: false }
      },
    },
    async ({ params, body }, reply) => {
      const since = system.events.lastId
      await drain(system, params.service, params.replica, body.undo)
      return reply.status(202).send({ since })
    },
  )

  server.post<Of<ReplicaParams>>(
    `${replica}/kill`,
    { schema: { ...common, summary: 'Kills it as a crash would, to see what happens' } },
    async ({ params }, reply) => {
      const since = system.events.lastId
      await kill(system, params.service, params.replica)
      return reply.status(202).send({ since })
    },
  )

  server.post<Of<ReplicaParams, Static<typeof weightBody>>>(
    `${replica}/weight`,
    { schema: { ...common, summary: 'Changes its share beside the others', body: weightBody } },
    async ({ params, body }, reply) => {
      const since = system.events.lastId
      await weigh(system, params.service, params.replica, body.weight)
      return reply.status(202).send({ since })
    },
  )
}

/** Trouble on purpose, of replicas that take it. */
function mountFault(server: FastifyInstance, { system }: RouteParts): void {
  server.post<Of<ReplicaParams, FaultBody>>(
    `${replica}/fault`,
    {
      schema: {
        tags,
        params: replicaParams,
        response: { 202: acceptedView },
        summary: 'Has it answer late or with 500, as the sample server can; {} ends that',
        body: faultBody,
      },
    },
    async ({ params, body }, reply) => {
      const since = system.events.lastId
      await setReplicaFault(system, params.service, params.replica, body)
      return reply.status(202).send({ since })
    },
  )
}

function find(views: readonly ServiceView[], name: string): ServiceView {
  const view = views.find((service) => service.name === name)
  if (view) return view
  const names = views.map((service) => service.name).join(', ')
  throw fault('UNKNOWN_SERVICE', `no service is called "${name}"; services are ${names}`)
}
