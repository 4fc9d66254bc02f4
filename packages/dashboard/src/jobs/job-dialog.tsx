import { useState } from 'preact/hooks'
import { Action } from '../kit/button.tsx'
import { Dialog } from '../kit/dialog.tsx'
import { formatBytes } from '../kit/format.ts'
import { Problem } from '../kit/problem.tsx'
import { StateBadge } from '../kit/state-badge.tsx'
import { usePolled } from '../live/polled.ts'
import { type Job, jobTypes, readJob, readResult } from './jobs-api.ts'
import type { JobsSession } from './jobs-session.ts'

interface JobDialogProps {
  readonly session: JobsSession
  readonly id: string
  readonly onClose: () => void
}

/** More of a result than this is not for reading. */
const shownChars = 20_000

/** One job with all that is known of it, and its result. */
export function JobDialog({ session, id, onClose }: JobDialogProps) {
  const { client } = session
  const { value: job, problem } = usePolled(`${client.base} ${id}`, () => readJob(client, id))
  const [result, setResult] = useState<string>()
  return (
    <Dialog title="Job" onClose={onClose}>
      <div class="dialog-body">
        {problem !== undefined && <Problem text={problem} />}
        {job && <JobFacts job={job} />}
        {job?.result && (
          <div class="actions">
            <Action
              icon="eye"
              act={async () => setResult(await readResult(client, id))}
              failed="There is no result"
            >
              Show the result, {formatBytes(job.result.bytes)}
            </Action>
          </div>
        )}
        {result !== undefined && <pre>{result.slice(0, shownChars)}</pre>}
      </div>
    </Dialog>
  )
}

function JobFacts({ job }: { readonly job: Job }) {
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['id', job.id],
    ['page', job.url],
    ['makes', `${job.type}: ${jobTypes[job.type] ?? ''}`],
    ['attempt', `${job.attempt} of ${job.attemptsMax}, run ${job.run}`],
    ['priority', String(job.priority)],
    ['added', localTime(job.addedAt)],
    ['due', localTime(job.dueAt)],
    ['ended', localTime(job.completedAt)],
    ['calls', job.callbackUrl],
    ['batch', job.batch],
    ['reason', job.reason && `${job.reason.message} (${job.reason.code})`],
    ['answer', job.result && `${job.result.status}, ${job.result.contentType}`],
  ]
  return (
    <dl class="fact-list">
      <div>
        <dt>state</dt>
        <dd>
          <StateBadge state={job.state} />
        </dd>
      </div>
      {facts.map(([name, text]) =>
        text === undefined ? null : (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{text}</dd>
          </div>
        ),
      )}
    </dl>
  )
}

function localTime(text: string | undefined): string | undefined {
  return text === undefined ? undefined : new Date(text).toLocaleString()
}
