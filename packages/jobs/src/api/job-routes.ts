import { type Static, Type } from '@drover/kernel'
import type { FastifyInstance } from 'fastify'
import { fault } from '../errors.ts'
import { type ApiContext, identify, ownerScope, traceOf } from './context.ts'
import { batchRequest, idParams, jobRequest, retryRequest, submitHeaders } from './schemas.ts'
import type { JobRequest } from './submit.ts'
import { answers, count, job, jobView, onlyId } from './views.ts'

const tags = ['jobs']

/** Jobs that one call starts again or ends. */
const atOnceMax = 1_000

/** A batch of a thousand long addresses fits. */
const batchBytesMax = 8_388_608

/** `/v1/jobs` and `/v1/batches`: submit, cancel, retry. */
export async function jobRoutes(server: FastifyInstance, context: ApiContext): Promise<void> {
  submitRoutes(server, context)
  changeRoutes(server, context)
}

type SubmitHeaders = Static<typeof submitHeaders>

const submitSchema = { tags, headers: submitHeaders }

function submitRoutes(server: FastifyInstance, context: ApiContext): void {
  server.post<{ Body: JobRequest; Headers: SubmitHeaders }>(
    '/v1/jobs',
    {
      schema: {
        ...submitSchema,
        body: jobRequest,
        summary: 'Submit a job',
        response: answers(202, onlyId),
      },
    },
    async (request, reply) => {
      const { userId: ownerId, quota } = await identify(context, request)
      const key = request.headers['idempotency-key']
      const options = { ownerId, key, quota, traceparent: traceOf(request) }
      const [submitted] = await context.submitter.submit([request.body], options)
      return reply.status(202).send({ id: submitted?.id })
    },
  )
  const made = Type.Object({ batch: Type.String(), ids: Type.Array(Type.String()) })
  server.post<{ Body: { jobs: JobRequest[] }; Headers: SubmitHeaders }>(
    '/v1/batches',
    {
      bodyLimit: batchBytesMax,
      // Before each of them is looked at.
      preValidation: async (request) => checkSize(request.body, context.options.batchMax),
      schema: {
        ...submitSchema,
        body: batchRequest,
        summary: 'Submit many jobs, all or none',
        response: answers(202, made),
      },
    },
    async (request, reply) => {
      const { userId: ownerId, quota } = await identify(context, request)
      const { jobs } = request.body
      const key = request.headers['idempotency-key']
      const options = { ownerId, key, quota, batch: true, traceparent: traceOf(request) }
      const submitted = await context.submitter.submit(jobs, options)
      return reply
        .status(202)
        .send({ batch: submitted[0]?.batchId, ids: submitted.map(({ id }) => id) })
    },
  )
}

/** Throws BATCH_TOO_LARGE. */
function checkSize(body: unknown, most: number): void {
  const jobs = (body as { jobs?: unknown } | null | undefined)?.jobs
  if (Array.isArray(jobs) && jobs.length > most)
    throw fault('BATCH_TOO_LARGE', `${jobs.length} jobs; a batch has at most ${most}`)
}

function changeRoutes(server: FastifyInstance, context: ApiContext): void {
  const one = { tags, params: idParams, response: answers(200, job) }
  const many = { tags, response: answers(200, count) }
  server.post<{ Params: Static<typeof idParams> }>(
    '/v1/jobs/:id/cancel',
    { schema: { ...one, summary: 'End a job that has not ended' } },
    async (request) => {
      const owner = ownerScope(await identify(context, request))
      return jobView(await context.jobs.cancel(request.params.id, owner))
    },
  )
  server.post<{ Params: Static<typeof idParams> }>(
    '/v1/jobs/:id/retry',
    { schema: { ...one, summary: 'Start a job that has ended again' } },
    async (request) => {
      const owner = ownerScope(await identify(context, request))
      return jobView(await context.jobs.retry(request.params.id, owner))
    },
  )
  server.post<{ Body: Static<typeof retryRequest> }>(
    '/v1/jobs/retry',
    { schema: { ...many, body: retryRequest, summary: 'Start dead or cancelled jobs again' } },
    async (request) => {
      const ownerId = ownerScope(await identify(context, request))
      const { state = 'dead', type, batch: batchId } = request.body
      const filter = { ownerId, state, type, batchId, limit: atOnceMax }
      return { count: await context.jobs.retryMany(filter) }
    },
  )
  server.post<{ Params: Static<typeof idParams> }>(
    '/v1/batches/:id/cancel',
    { schema: { ...many, params: idParams, summary: "End a batch's jobs that have not ended" } },
    async (request) => {
      const ownerId = ownerScope(await identify(context, request))
      return { count: await context.jobs.cancelBatch(request.params.id, ownerId) }
    },
  )
}
