import { MetricsText } from '@drover/kernel'
import type { FastifyInstance } from 'fastify'
import { fault } from '../errors.ts'
import type { ApiContext } from './context.ts'

/**
 * Mounts what Prometheus reads: how many jobs and callbacks are in which state. For those who reach
 * the replica itself: what came through a front door, which says so, is refused.
 */
export function metricsRoute(server: FastifyInstance, context: ApiContext): void {
  server.get('/metrics', { schema: { hide: true } }, async ({ headers }, reply) => {
    if (headers['x-forwarded-for'] !== undefined)
      throw fault('NOT_ALLOWED', 'figures are for who reaches this replica without a proxy')
    return reply.type(MetricsText.contentType).send(await render(context))
  })
}

async function render({ jobs, deliveries }: ApiContext): Promise<string> {
  const text = new MetricsText()
  text.metric('drover_jobs', 'gauge', 'Jobs by type and state.')
  for (const [type, counts] of Object.entries(await jobs.countsByType(undefined)))
    for (const [state, count] of Object.entries(counts)) text.series({ type, state }, count)
  text.metric('drover_jobs_callbacks', 'gauge', 'Callbacks by state.')
  for (const [state, count] of Object.entries(await deliveries.counts(undefined)))
    text.series({ state }, count)
  return text.toString()
}
