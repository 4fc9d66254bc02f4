import type { Job, JobFilter } from './jobs-api.ts'

const jobsMax = 200

/** Returns the list with `job` in its place: changed, added, or gone where the filter leaves it out. */
export function withJob(list: readonly Job[], job: Job, filter: JobFilter): readonly Job[] {
  const others = list.filter(({ id }) => id !== job.id)
  const known = list.find(({ id }) => id === job.id)
  // News may overtake each other when a list was read in between.
  if (known && known.updatedAt > job.updatedAt) return list
  if (!fits(job, filter)) return others.length === list.length ? list : others
  return sorted([job, ...others]).slice(0, jobsMax)
}

/** The newest first. */
export function sorted(jobs: readonly Job[]): readonly Job[] {
  return jobs.toSorted((one, other) => order(other.addedAt, one.addedAt) || order(other.id, one.id))
}

function fits({ state, type }: Job, filter: JobFilter): boolean {
  return (
    (filter.state === '' || filter.state === state) &&
    (filter.type === '' || filter.type === String(type))
  )
}

function order(one: string, other: string): number {
  return one < other ? -1 : Number(one > other)
}
