import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import { fault } from '../errors.ts'
import type { JobType } from '../reading/read-page.ts'
import type { JobState } from '../store/tables.ts'
import { type ApiContext, identify, ownerScope } from './context.ts'
import {
  batchRequest,
  cursorOf,
  idParams,
  jobRequest,
  jobView,
  listQuery,
  parseCursor,
  submitHeaders,
  watchQuery,
} from './schemas.ts'
import type { JobRequest } from './submit.ts'
import { watch } from './watch.ts'

const tags = ['jobs']

/** `/v1/jobs`: submit, list, watch, cancel, retry, result. */
export async function jobRoutes(server: FastifyInstance, context: ApiContext): Promise<void> {
  submitRoutes(server, context)
  readRoutes(server, context)
  server.post<{ Params: Static<typeof idParams> }>(
    '/v1/jobs/:id/cancel',
    { schema: { tags, params: idParams, summary: 'End a job that has not ended' } },
    async (request) => {
      const owner = ownerScope(await identify(context, request))
      return jobView(await context.jobs.cancel(request.params.id, owner))
    },
  )
  server.post<{ Params: Static<typeof idParams> }>(
    '/v1/jobs/:id/retry',
    { schema: { tags, params: idParams, summary: 'Start a job that has ended again' } },
    async (request) => {
      const owner = ownerScope(await identify(context, request))
      return jobView(await context.jobs.retry(request.params.id, owner))
    },
  )
}

type SubmitHeaders = Static<typeof submitHeaders>

function submitRoutes(server: FastifyInstance, context: ApiContext): void {
  server.post<{ Body: JobRequest; Headers: SubmitHeaders }>(
    '/v1/jobs',
    { schema: { tags, body: jobRequest, headers: submitHeaders, summary: 'Submit a job' } },
    async (request, reply) => {
      const { userId: ownerId } = await identify(context, request)
      const key = request.headers['idempotency-key']
      const [job] = await context.submitter.submit([request.body], { ownerId, key })
      return reply.status(202).send({ id: job?.id })
    },
  )
  server.post<{ Body: { jobs: JobRequest[] }; Headers: SubmitHeaders }>(
    '/v1/batches',
    { schema: { tags, body: batchRequest, headers: submitHeaders, summary: 'Submit many jobs' } },
    async (request, reply) => {
      const { userId: ownerId } = await identify(context, request)
      const { jobs } = request.body
      if (jobs.length > context.options.batchMax)
        throw fault('QUOTA_REACHED', `a batch has at most ${context.options.batchMax} jobs`)
      const key = request.headers['idempotency-key']
      const submitted = await context.submitter.submit(jobs, { ownerId, key, batch: true })
      return reply
        .status(202)
        .send({ batch: submitted[0]?.batchId, ids: submitted.map(({ id }) => id) })
    },
  )
}

function readRoutes(server: FastifyInstance, context: ApiContext): void {
  const { jobs } = context
  server.get<{ Querystring: Static<typeof listQuery> }>(
    '/v1/jobs',
    { schema: { tags, querystring: listQuery, summary: 'List jobs, the newest first' } },
    async (request) => {
      const ownerId = ownerScope(await identify(context, request))
      const { state, type, batch, after, limit } = request.query
      const cursor = parseCursor(after)
      const found = await jobs.jobs({
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
  server.get(
    '/v1/jobs/counts',
    { schema: { tags, querystring: watchQuery, summary: 'How many jobs are in which state' } },
    async (request) => {
      const ownerId = ownerScope(await identify(context, request))
      const { batch } = request.query as Static<typeof watchQuery>
      return jobs.counts({
        ...(ownerId === undefined ? {} : { ownerId }),
        ...(batch === undefined ? {} : { batchId: batch }),
      })
    },
  )
  server.get<{ Querystring: Static<typeof watchQuery> }>(
    '/v1/jobs/watch',
    { schema: { tags, querystring: watchQuery, summary: 'Own jobs as they change (SSE)' } },
    async (request, reply) => {
      const { userId } = await identify(context, request)
      return watch(context, userId, request.query.batch, reply)
    },
  )
  server.get<{ Params: Static<typeof idParams> }>(
    '/v1/jobs/:id',
    { schema: { tags, params: idParams, summary: 'One job' } },
    async (request) => {
      const owner = ownerScope(await identify(context, request))
      return jobView(await jobs.job(request.params.id, owner))
    },
  )
  server.get<{ Params: Static<typeof idParams> }>(
    '/v1/jobs/:id/result',
    { schema: { tags, params: idParams, summary: 'What the job made of the page' } },
    async (request, reply) => {
      const owner = ownerScope(await identify(context, request))
      const { contentHash, result, state } = await jobs.job(request.params.id, owner)
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
