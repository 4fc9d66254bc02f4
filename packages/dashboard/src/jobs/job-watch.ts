import { useEffect, useState } from 'preact/hooks'
import { follow } from '../client/follow.ts'
import { describe, Problem } from '../client/problem.ts'
import { sorted, withJob } from './job-list.ts'
import { type Job, type JobFilter, readJobs } from './jobs-api.ts'
import type { JobsSession } from './jobs-session.ts'

/** The jobs that are listed, as they change. */
export interface JobWatch {
  readonly jobs: readonly Job[] | undefined
  readonly problem: string | undefined
}

/** Reads the list when the stream opens, and again after each reconnect; then changes it by the news. */
export function useJobWatch(session: JobsSession, filter: JobFilter): JobWatch {
  const [found, setFound] = useState<JobWatch>({ jobs: undefined, problem: undefined })
  const [turn, setTurn] = useState(0)
  const { state, type } = filter
  useEffect(() => {
    let lastId = ''
    let isOver = false
    const read = () =>
      readJobs(session.client, { state, type })
        .then((jobs) => isOver || setFound({ jobs: sorted(jobs), problem: undefined }))
        .catch(
          (problem: unknown) =>
            isOver || setFound((before) => ({ ...before, problem: describe(problem) })),
        )
    const stop = follow({
      target: () => ({
        path: `${session.client.base}/v1/jobs/watch`,
        headers: {
          ...session.headers(),
          ...(lastId === '' ? {} : { 'last-event-id': lastId }),
        },
      }),
      onOpen: () => void read(),
      onEvent: ({ id, name, data }) => {
        lastId = id
        if (name !== 'job') return
        const job = JSON.parse(data) as Job
        setFound((before) => ({
          ...before,
          jobs: withJob(before.jobs ?? [], job, { state, type }),
        }))
      },
      onLost: (problem) => {
        if (problem === undefined || isOver) return
        setFound((before) => ({ ...before, problem: describe(problem) }))
        if (problem instanceof Problem && problem.status === 401)
          void session.refresh().then((isIn) => isIn && setTurn((before) => before + 1))
      },
    })
    return () => {
      isOver = true
      stop()
    }
  }, [session, state, type, turn])
  return found
}
