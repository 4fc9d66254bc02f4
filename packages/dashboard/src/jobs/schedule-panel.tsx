import { useState } from 'preact/hooks'
import { Action, Button } from '../kit/button.tsx'
import { Confirm } from '../kit/confirm.tsx'
import { plural } from '../kit/format.ts'
import { Nothing, Panel } from '../kit/panel.tsx'
import { Problem } from '../kit/problem.tsx'
import { type Column, Table } from '../kit/table.tsx'
import { usePolled } from '../live/polled.ts'
import { pauseSchedule, readSchedules, removeSchedule, type Schedule } from './jobs-api.ts'
import type { JobsSession } from './jobs-session.ts'
import { ScheduleDialog } from './schedule-dialog.tsx'

/** What is submitted again and again, and when it comes next. */
export function SchedulePanel({ session }: { readonly session: JobsSession }) {
  const { client } = session
  const [isAdding, setAdding] = useState(false)
  const [leaving, setLeaving] = useState<Schedule>()
  const { value, problem, refresh } = usePolled(`${client.base} schedules`, () =>
    readSchedules(client),
  )
  const pause = async ({ id, paused }: Schedule) => {
    await pauseSchedule(client, id, !paused)
    await refresh()
  }
  const remove = async (id: string) => {
    await removeSchedule(client, id)
    await refresh()
  }
  return (
    <Panel
      title="Schedules"
      note={value ? plural(value.length, 'schedule') : 'reading …'}
      actions={
        <Button icon="plus" onPress={() => setAdding(true)}>
          Add a schedule
        </Button>
      }
    >
      {problem !== undefined && <Problem text={problem} />}
      {value?.length === 0 && <Nothing>Nothing is submitted by itself so far.</Nothing>}
      {value && value.length > 0 && (
        <Table
          label="Schedules"
          columns={columnsOf(pause, setLeaving)}
          rows={value}
          keyOf={({ id }) => id}
        />
      )}
      {isAdding && (
        <ScheduleDialog session={session} onAdded={refresh} onClose={() => setAdding(false)} />
      )}
      {leaving && (
        <Confirm
          title="Remove the schedule"
          verb="Remove"
          act={() => remove(leaving.id)}
          done="The schedule is gone"
          onClose={() => setLeaving(undefined)}
        >
          {leaving.job.url} is not submitted by itself any more. Its jobs so far stay.
        </Confirm>
      )}
    </Panel>
  )
}

function columnsOf(
  pause: (schedule: Schedule) => Promise<void>,
  onRemove: (schedule: Schedule) => void,
): readonly Column<Schedule>[] {
  return [
    {
      title: 'Page',
      cell: ({ job }) => (
        <b class="cut" title={job.url}>
          {job.url}
        </b>
      ),
    },
    { title: 'When', cell: ({ cron }) => <code>{cron}</code> },
    { title: 'In', cell: ({ timeZone }) => timeZone },
    {
      title: 'Next',
      cell: ({ paused, nextAt }) => {
        if (paused) return 'rests'
        return nextAt === undefined ? 'never' : new Date(nextAt).toLocaleString()
      },
      isNumber: true,
    },
    {
      title: 'Actions',
      isSilent: true,
      cell: (schedule) => (
        <div class="row-actions">
          <Action
            icon={schedule.paused ? 'play' : 'pause'}
            label={`${schedule.paused ? 'Resume' : 'Pause'} ${schedule.job.url}`}
            kind="bare"
            act={() => pause(schedule)}
            failed="The schedule is as it was"
          />
          <Button
            icon="trash"
            label={`Remove ${schedule.job.url}`}
            kind="bare"
            onPress={() => onRemove(schedule)}
          />
        </div>
      ),
    },
  ]
}
