import { type Static, Type } from '@drover/kernel'
import type { FastifyInstance } from 'fastify'
import { fault } from '../errors.ts'
import type { JobType } from '../reading/read-page.ts'
import type { JobState } from '../store/tables.ts'
import { type ApiContext, identify, ownerScope } from './context.ts'
import {
  batchQuery,
  cursorOf,
  idParams,
  listQuery,
  parseCursor,
  textQuery,
  watchHeaders,
  watchQuery,
} from './schemas.ts'
import { answers, counts, isoTime, job, jobPage, jobView, problem, stats } from './views.ts'
import { createWatches } from './watch.ts'

const tags = ['jobs']

/** How jobs are seen: lists, counts, changes, results. */
export async function readRoutes(server: FastifyInstance, context: ApiContext): Promise<void> {
  listRoute(server, context)
  countRoutes(server, context)
  watchRoute(server, context)
  oneRoutes(server, context)
}

function listRoute(server: FastifyInstance, context: ApiContext): void {
  server.get<{ Querystring: Static<typeof listQuery> }>(
    '/v1/jobs',
    {
      schema: {
        tags,
        querystring: listQuery,
        summary: 'List jobs, the newest first',
        response: answers(200, jobPage),
      },
    },
    async (request) => {
      const ownerId = ownerScope(await identify(context, request))
      const { state, type, batch, after, limit } = request.query
      const cursor = parseCursor(after)
      const found = await context.jobs.jobs({
        ...{ ownerId, state: state as JobState | undefined, type: type as JobType | undefined },
        ...{ batchId: batch, limit },
        after: cursor && { addedMs: cursor.ms, id: cursor.id },
      })
      const last = found.length === limit ? found.at(-1) : undefined
      return {
        jobs: found.map(jobView),
        ...(last ? { next: cursorOf(last.addedMs, last.id) } : {}),
      }
    },
  )
}

function countRoutes(server: FastifyInstance, context: ApiContext): void {
  const { jobs, deliveries, clock } = context
  server.get<{ Querystring: Static<typeof batchQuery> }>(
    '/v1/jobs/counts',
    {
      schema: {
        tags,
        querystring: batchQuery,
        summary: 'How many jobs are in which state',
        response: answers(200, counts),
      },
    },
    async (request) => {
      const ownerId = ownerScope(await identify(context, request))
      return jobs.counts({ ownerId, batchId: request.query.batch })
    },
  )
  server.get(
    '/v1/stats',
    { schema: { tags, summary: 'Jobs by type and state', response: answers(200, stats) } },
    async (request) => {
      const ownerId = ownerScope(await identify(context, request))
      const byType = await jobs.countsByType(ownerId)
      const callbacks = await deliveries.counts(ownerId)
      const total: Record<string, number> = {}
      for (const own of Object.values(byType))
        for (const [state, found] of Object.entries(own)) total[state] = (total[state] ?? 0) + found
      return { total, byType, callbacks, at: isoTime(clock.now()) }
    },
  )
}

function watchRoute(server: FastifyInstance, context: ApiContext): void {
  const watches = createWatches(context)
  const events = {
    description: 'Server-sent events: `job` for each change, `end` after the last of a batch',
    content: { 'text/event-stream': { schema: Type.String() } },
  }
  server.get<{
    Querystring: Static<typeof watchQuery>
    Headers: Static<typeof watchHeaders>
  }>(
    '/v1/jobs/watch',
    {
      schema: {
        tags,
        querystring: watchQuery,
        headers: watchHeaders,
        summary: 'Jobs as they change, from now or from where an earlier watch ended',
        response: { 200: events, '4xx': problem, '5xx': problem },
      },
    },
    async (request, reply) => {
      const identity = await identify(context, request)
      // An answer to HEAD has no body that could go on.
      if (request.method === 'HEAD') return reply.type('text/event-stream').send()
      const { batch, after = request.headers['last-event-id'] } = request.query
      const wanted = { ownerId: ownerScope(identity), batch, sinceMs: parseCursor(after)?.ms }
      // A token that is over, or an account that is no admin any more, ends what it began.
      const mayGoOn = async () => {
        const now = await identify(context, request).catch(() => undefined)
        return now !== undefined && ownerScope(now) === wanted.ownerId
      }
      return watches.follow(identity.userId, wanted, reply, mayGoOn)
    },
  )
}

function oneRoutes(server: FastifyInstance, context: ApiContext): void {
  const { jobs } = context
  server.get<{ Params: Static<typeof idParams> }>(
    '/v1/jobs/:id',
    { schema: { tags, params: idParams, summary: 'One job', response: answers(200, job) } },
    async (request) => {
      const owner = ownerScope(await identify(context, request))
      return jobView(await jobs.job(request.params.id, owner))
    },
  )
  const bytes = {
    description: 'The text, the HTML, or the domains as JSON',
    content: { '*/*': { schema: Type.Any() } },
  }
  server.get<{ Params: Static<typeof idParams>; Querystring: Static<typeof textQuery> }>(
    '/v1/jobs/:id/result',
    {
      schema: {
        tags,
        params: idParams,
        querystring: textQuery,
        summary: 'What the job made of the page',
        response: { 200: bytes, '4xx': problem, '5xx': problem },
      },
    },
    async (request, reply) => {
      const owner = ownerScope(await identify(context, request))
      const found = await jobs.job(request.params.id, owner)
      const { result, state } = found
      const isWhole = request.query.text === 'whole'
      const contentHash = (isWhole ? found.wholeHash : undefined) ?? found.contentHash
      if (contentHash === undefined || result === undefined)
        throw fault('RESULT_MISSING', `the job is ${state} and has no result`)
      // The page is a stranger's: a browser must neither run it nor guess what it is.
      return reply
        .header('content-type', result.contentType)
        .header('content-security-policy', "sandbox; default-src 'none'")
        .header('content-disposition', 'attachment')
        .header('x-content-type-options', 'nosniff')
        .send(Buffer.from(await jobs.content(contentHash)))
    },
  )
}
