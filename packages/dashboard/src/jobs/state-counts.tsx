import { formatCount } from '../kit/format.ts'
import { Problem } from '../kit/problem.tsx'
import { StateBadge } from '../kit/state-badge.tsx'
import { usePolled } from '../live/polled.ts'
import { jobStates, readStats } from './jobs-api.ts'
import type { JobsSession } from './jobs-session.ts'

/** How many jobs are in each state, and how many deliveries. */
export function StateCounts({ session }: { readonly session: JobsSession }) {
  const { client } = session
  const { value, problem } = usePolled(`${client.base} stats`, () => readStats(client))
  const { total = {}, callbacks = {} } = value ?? {}
  return (
    <>
      {problem !== undefined && <Problem text={problem} />}
      <ul class="tiles" aria-label="Jobs by state">
        {jobStates.map((state) => (
          <li key={state} class={total[state] ? '' : 'none'}>
            <b>{formatCount(total[state] ?? 0)}</b>
            <StateBadge state={state} />
          </li>
        ))}
        {Object.entries(callbacks).map(([state, count]) => (
          <li key={`calls ${state}`}>
            <b>{formatCount(count)}</b>
            <span class="muted">calls {state}</span>
          </li>
        ))}
      </ul>
    </>
  )
}
