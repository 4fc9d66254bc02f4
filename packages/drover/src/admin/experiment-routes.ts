import { createReadStream } from 'node:fs'
import { type Static, Type } from '@drover/kernel'
import type {} from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import type { EventLog } from '../event-log.ts'
import type { ExperimentDesk } from './experiment-desk.ts'
import { acceptedView, experimentParams, experimentView, runBody } from './schemas.ts'

type Of<Params, Body = unknown> = { Params: Params; Body: Body }
type ExperimentParams = Static<typeof experimentParams>

/** What these routes need of what the others are given. */
interface ExperimentParts {
  readonly system: { readonly events: Pick<EventLog, 'lastId'> }
  readonly experiments: ExperimentDesk
}

const tags = ['experiments']
const one = '/v1/experiments/:name'

/**
 * What a browser may do with a report: show it, with its own style, and nothing else. The report says so
 * itself with the digest of its style; this holds for reports of older versions as well.
 */
const reportPolicy = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
  'sandbox',
].join('; ')

/** Mounts what concerns experiments; one runs at a time, as a process of its own. */
export function mountExperimentRoutes(
  server: FastifyInstance,
  { system, experiments }: ExperimentParts,
): void {
  const common = { tags, params: experimentParams }

  server.get(
    '/v1/experiments',
    {
      schema: {
        tags,
        summary: 'Every experiment, and how its last run went',
        response: { 200: Type.Array(experimentView) },
      },
    },
    () => experiments.list(),
  )

  server.post<Of<ExperimentParams, Static<typeof runBody>>>(
    one,
    {
      schema: {
        ...common,
        summary:
          'Runs it; {"quick":true} takes the short form. Its events are drover.experiment.started, progressed, and done, failed or cancelled',
        body: runBody,
        response: { 202: acceptedView },
      },
    },
    ({ params, body }, reply) => {
      const since = system.events.lastId
      experiments.start(params.name, body?.quick ?? false)
      return reply.status(202).send({ since })
    },
  )

  server.delete<Of<ExperimentParams>>(
    one,
    { schema: { ...common, summary: 'Cancels it', response: { 202: acceptedView } } },
    ({ params }, reply) => {
      const since = system.events.lastId
      experiments.cancel(params.name)
      return reply.status(202).send({ since })
    },
  )

  server.get<Of<ExperimentParams>>(
    `${one}/report`,
    {
      schema: {
        ...common,
        summary: 'The last report, a page without anything from elsewhere',
        response: { 200: { content: { 'text/html': { schema: Type.String() } } } },
      },
    },
    async ({ params }, reply) => {
      const file = await experiments.reportFile(params.name)
      return reply
        .type('text/html; charset=utf-8')
        .headers({
          'content-security-policy': reportPolicy,
          'x-content-type-options': 'nosniff',
          'referrer-policy': 'no-referrer',
          'cache-control': 'no-store',
        })
        .send(createReadStream(file))
    },
  )
}
