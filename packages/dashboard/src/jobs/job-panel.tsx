import { useState } from 'preact/hooks'
import type { Part } from '../client/admin.ts'
import { Action } from '../kit/button.tsx'
import { Field } from '../kit/field.tsx'
import { formatSpan, plural } from '../kit/format.ts'
import { tellDone } from '../kit/notices.tsx'
import { Nothing, Panel } from '../kit/panel.tsx'
import { Problem } from '../kit/problem.tsx'
import { StateBadge } from '../kit/state-badge.tsx'
import { type Column, Table } from '../kit/table.tsx'
import { clock } from '../live/instance.ts'
import { useStore } from '../live/store.ts'
import { linkTo } from '../shell/route.ts'
import { useJobWatch } from './job-watch.ts'
import {
  cancel,
  isFinal,
  type Job,
  type JobFilter,
  jobStates,
  jobTypes,
  retry,
  retryAll,
} from './jobs-api.ts'
import type { JobsSession } from './jobs-session.ts'
import { TypeOptions } from './type-options.tsx'

interface JobPanelProps {
  readonly part: Part
  readonly session: JobsSession
}

/** The latest jobs, as they change. */
export function JobPanel({ part, session }: JobPanelProps) {
  const [filter, setFilter] = useState<JobFilter>({ state: '', type: '' })
  const { jobs, problem } = useJobWatch(session, filter)
  const columns = useColumns(part, session)
  return (
    <Panel
      title="Latest jobs"
      note={jobs ? plural(jobs.length, 'job') : 'reading …'}
      actions={
        <Action
          icon="restart"
          act={async () => {
            const { count } = await retryAll(session.client, filter)
            tellDone(`${plural(count, 'job')} tried again`)
          }}
          failed="They were not tried again"
        >
          Retry all {filter.state === 'cancelled' ? 'cancelled' : 'dead'}
        </Action>
      }
    >
      <Filters filter={filter} onChange={setFilter} />
      {problem !== undefined && <Problem text={problem} />}
      {jobs?.length === 0 && <Nothing>No such job. “Submit” makes one.</Nothing>}
      {jobs && jobs.length > 0 && (
        <Table label="Jobs" columns={columns} rows={jobs} keyOf={({ id }) => id} />
      )}
    </Panel>
  )
}

interface FiltersProps {
  readonly filter: JobFilter
  readonly onChange: (filter: JobFilter) => void
}

function Filters({ filter, onChange }: FiltersProps) {
  return (
    <div class="filters">
      <Field label="State">
        {(control) => (
          <select
            {...control}
            value={filter.state}
            onChange={(event) => onChange({ ...filter, state: event.currentTarget.value })}
          >
            <option value="">all</option>
            {jobStates.map((state) => (
              <option key={state}>{state}</option>
            ))}
          </select>
        )}
      </Field>
      <Field label="Type">
        {(control) => (
          <select
            {...control}
            value={filter.type}
            onChange={(event) => onChange({ ...filter, type: event.currentTarget.value })}
          >
            <option value="">all</option>
            <TypeOptions />
          </select>
        )}
      </Field>
    </div>
  )
}

function useColumns(part: Part, session: JobsSession): readonly Column<Job>[] {
  const nowMs = useStore(clock)
  return [
    {
      title: 'Page',
      cell: ({ id, url }) => (
        <a class="cut" href={linkTo('jobs', part.service, id)} title={url}>
          <b>{url}</b>
        </a>
      ),
    },
    { title: 'Type', cell: ({ type }) => `${type}: ${jobTypes[type] ?? ''}` },
    {
      title: 'State',
      cell: ({ state, reason }) => (
        <div class="stacked">
          <StateBadge state={state} />
          {reason && <span class="muted reason">{reason.message}</span>}
        </div>
      ),
      isWide: true,
    },
    {
      title: 'Attempt',
      cell: ({ attempt, attemptsMax }) => `${attempt} of ${attemptsMax}`,
      isNumber: true,
    },
    {
      title: 'Added',
      cell: ({ addedAt }) => `${formatSpan(nowMs - Date.parse(addedAt))} ago`,
      isNumber: true,
    },
    {
      title: 'Actions',
      isSilent: true,
      cell: (job) => <JobActions session={session} job={job} />,
    },
  ]
}

function JobActions({ session, job }: { readonly session: JobsSession; readonly job: Job }) {
  const { id, state, url } = job
  const { client } = session
  if (state === 'done') return null
  return (
    <div class="row-actions">
      {isFinal(state) ? (
        <Action
          icon="restart"
          label={`Retry ${url}`}
          kind="bare"
          act={() => retry(client, id)}
          failed="The job was not tried again"
        >
          Retry
        </Action>
      ) : (
        <Action
          icon="close"
          label={`Cancel ${url}`}
          kind="bare"
          act={() => cancel(client, id)}
          failed="The job was not cancelled"
        >
          Cancel
        </Action>
      )}
    </div>
  )
}
