import { useState } from 'preact/hooks'
import type { Part } from '../client/admin.ts'
import { Button } from '../kit/button.tsx'
import { useStore } from '../live/store.ts'
import { usePart } from '../shell/part-of.ts'
import { PartPicker } from '../shell/part-picker.tsx'
import { linkTo, route } from '../shell/route.ts'
import { DeliveryPanel } from './delivery-panel.tsx'
import { JobDialog } from './job-dialog.tsx'
import { JobPanel } from './job-panel.tsx'
import { JobsLogin } from './jobs-login.tsx'
import { type JobsSession, jobsSession } from './jobs-session.ts'
import { SchedulePanel } from './schedule-panel.tsx'
import { StateCounts } from './state-counts.tsx'
import { SubmitDialog } from './submit-dialog.tsx'

/** Jobs and deliveries, for who has an account there. */
export function JobsPage() {
  const part = usePart('jobs')
  return part ? <Jobs key={part.base} part={part} /> : null
}

function Jobs({ part }: { readonly part: Part }) {
  const session = jobsSession(part)
  const isIn = useStore(session.isIn)
  return isIn ? <Inside part={part} session={session} /> : <JobsLogin session={session} />
}

interface InsideProps {
  readonly part: Part
  readonly session: JobsSession
}

function Inside({ part, session }: InsideProps) {
  const [isSubmitting, setSubmitting] = useState(false)
  const { rest } = useStore(route)
  const id = rest[1]
  return (
    <>
      <header class="page-head">
        <h1>Jobs</h1>
        <div class="actions">
          <PartPicker section="jobs" chosen={part} />
          <Button icon="plus" kind="main" onPress={() => setSubmitting(true)}>
            Submit
          </Button>
          <Button icon="leave" onPress={() => void session.logOut()}>
            Leave jobs
          </Button>
        </div>
      </header>
      <StateCounts session={session} />
      <JobPanel part={part} session={session} />
      <SchedulePanel session={session} />
      <DeliveryPanel session={session} />
      {isSubmitting && <SubmitDialog session={session} onClose={() => setSubmitting(false)} />}
      {id !== undefined && (
        <JobDialog
          key={id}
          session={session}
          id={id}
          onClose={() => {
            location.hash = linkTo('jobs', part.service)
          }}
        />
      )}
    </>
  )
}
