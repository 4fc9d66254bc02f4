import type { Static } from '@drover/kernel'
import type { FastifyInstance } from 'fastify'
import type { JobType } from '../reading/read-page.ts'
import type { ScheduledJob } from '../schedule.ts'
import { type ApiContext, identify, ownerScope } from './context.ts'
import { newId } from './job-id.ts'
import {
  cursorOf,
  idParams,
  pageQuery,
  parseCursor,
  pauseRequest,
  scheduleRequest,
} from './schemas.ts'
import { checkAddresses } from './submit.ts'
import { answers, nothing, schedule, schedulePage, scheduleView } from './views.ts'

const tags = ['schedules']

type OneSchedule = { Params: Static<typeof idParams> }

/** `/v1/schedules`: jobs that are submitted again and again. */
export async function scheduleRoutes(server: FastifyInstance, context: ApiContext): Promise<void> {
  addRoute(server, context)
  listRoute(server, context)
  const { schedules } = context
  const one = { tags, params: idParams }
  server.get<OneSchedule>(
    '/v1/schedules/:id',
    { schema: { ...one, summary: 'One schedule', response: answers(200, schedule) } },
    async (request) => {
      const owner = ownerScope(await identify(context, request))
      return scheduleView(await schedules.schedule(request.params.id, owner))
    },
  )
  server.delete<OneSchedule>(
    '/v1/schedules/:id',
    { schema: { ...one, summary: 'End a schedule; its jobs stay', response: nothing } },
    async (request, reply) => {
      await schedules.remove(request.params.id, ownerScope(await identify(context, request)))
      return reply.status(204).send()
    },
  )
  server.post<OneSchedule & { Body: Static<typeof pauseRequest> }>(
    '/v1/schedules/:id/pause',
    {
      schema: {
        ...one,
        body: pauseRequest,
        summary: 'Let a schedule rest, or go on',
        response: answers(200, schedule),
      },
    },
    async (request) => {
      const owner = ownerScope(await identify(context, request))
      return scheduleView(await schedules.pause(request.params.id, request.body.paused, owner))
    },
  )
}

function addRoute(server: FastifyInstance, context: ApiContext): void {
  const { schedules, clock, options } = context
  server.post<{ Body: Static<typeof scheduleRequest> }>(
    '/v1/schedules',
    {
      schema: {
        tags,
        body: scheduleRequest,
        summary: 'Submit a job again and again',
        response: answers(201, schedule),
      },
    },
    async (request, reply) => {
      const { userId: ownerId } = await identify(context, request)
      const { cron, timeZone = 'UTC', job } = request.body
      const wanted = { id: newId(clock.now()), ownerId, cron, timeZone, job: checkJob(job) }
      const made = await schedules.add(wanted, options.schedulesMax)
      return reply.status(201).send(scheduleView(made))
    },
  )
}

function listRoute(server: FastifyInstance, context: ApiContext): void {
  server.get<{ Querystring: Static<typeof pageQuery> }>(
    '/v1/schedules',
    {
      schema: {
        tags,
        querystring: pageQuery,
        summary: 'List schedules, the newest first',
        response: answers(200, schedulePage),
      },
    },
    async (request) => {
      const ownerId = ownerScope(await identify(context, request))
      const { after, limit } = request.query
      const cursor = parseCursor(after)
      const found = await context.schedules.list({
        ...{ ownerId, limit },
        after: cursor && { createdMs: cursor.ms, id: cursor.id },
      })
      const last = found.length === limit ? found.at(-1) : undefined
      return {
        schedules: found.map(scheduleView),
        ...(last ? { next: cursorOf(last.createdMs, last.id) } : {}),
      }
    },
  )
}

/** Throws URL_INVALID now rather than each time that the job would begin. */
function checkJob(job: Static<typeof scheduleRequest>['job']): ScheduledJob {
  const { url, callbackUrl } = checkAddresses(job, 'job/')
  return {
    ...{ ...job, type: job.type as JobType, url },
    ...(callbackUrl === undefined ? {} : { callbackUrl }),
  }
}
