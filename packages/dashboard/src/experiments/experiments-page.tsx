import { useState } from 'preact/hooks'
import { type Answer, admin } from '../client/admin.ts'
import { send } from '../client/call.ts'
import { token } from '../client/session.ts'
import { Action } from '../kit/button.tsx'
import { formatSpan } from '../kit/format.ts'
import { Icon } from '../kit/icon.tsx'
import { Nothing, Panel } from '../kit/panel.tsx'
import { Problem } from '../kit/problem.tsx'
import { StateBadge } from '../kit/state-badge.tsx'
import { clock, eventList } from '../live/instance.ts'
import { usePolled } from '../live/polled.ts'
import { useStore } from '../live/store.ts'

type Experiment = Answer<'GET /v1/experiments'>[number]

/** Experiments with the real parts, a button each. */
export function ExperimentsPage() {
  const { lastId } = useStore(eventList)
  // Its steps are events: with each of them the list is read anew.
  const { value, problem, refresh } = usePolled(`experiments ${lastId}`, () =>
    admin('GET /v1/experiments'),
  )
  const [known, setKnown] = useState<readonly Experiment[]>([])
  if (value && value !== known) setKnown(value)
  const [isQuick, setQuick] = useState(true)
  const running = known.find(({ state }) => isUnderWay(state))
  return (
    <>
      <header class="page-head">
        <h1>Experiments</h1>
        <label class="check">
          <input
            type="checkbox"
            checked={isQuick}
            onChange={(event) => setQuick(event.currentTarget.checked)}
          />
          The short form
        </label>
      </header>
      {problem !== undefined && <Problem text={problem} />}
      {known.length === 0 && problem === undefined && <Nothing>Reading …</Nothing>}
      <ul class="experiments">
        {known.map((experiment) => (
          <li key={experiment.name}>
            <ExperimentCard
              {...{ experiment, isQuick, refresh }}
              isBlocked={running !== undefined && running !== experiment}
            />
          </li>
        ))}
      </ul>
    </>
  )
}

const isUnderWay = (state: string) => state === 'running' || state === 'stopping'

interface ExperimentCardProps {
  readonly experiment: Experiment
  readonly isQuick: boolean
  /** Another one runs. */
  readonly isBlocked: boolean
  readonly refresh: () => Promise<void>
}

function ExperimentCard({ experiment, isQuick, isBlocked, refresh }: ExperimentCardProps) {
  const { name, title, says, minutes, state, report } = experiment
  const path = { name }
  const act = (change: () => Promise<unknown>) => async () => {
    await change()
    await refresh()
  }
  return (
    <Panel
      title={title}
      actions={
        <>
          {report && <Report name={name} {...report} />}
          {isUnderWay(state) ? (
            <Action
              icon="close"
              label={`Cancel ${title}`}
              isDisabled={state === 'stopping'}
              act={act(() => admin('DELETE /v1/experiments/{name}', { path }))}
              failed={`${name} was not cancelled`}
            >
              Cancel
            </Action>
          ) : (
            <Action
              icon="play"
              label={`Run ${title}`}
              isDisabled={isBlocked}
              act={act(() =>
                admin('POST /v1/experiments/{name}', { path, body: { quick: isQuick } }),
              )}
              failed={`${name} did not start`}
            >
              Run
            </Action>
          )}
        </>
      }
    >
      <div class="experiment">
        <p>
          {says}{' '}
          <span class="muted nowrap">
            · about {minutesText(minutes)}
            {isQuick && ' in full'}
          </span>
        </p>
        <Progress experiment={experiment} />
      </div>
    </Panel>
  )
}

function Progress({ experiment }: { readonly experiment: Experiment }) {
  const { state, message, step, steps, title } = experiment
  if (state === 'idle') return null
  return (
    <p class="progress-line">
      <StateBadge state={state} />
      {isUnderWay(state) && (
        <progress value={step} max={Math.max(1, steps)} aria-label={`Progress of ${title}`} />
      )}
      <span class="muted">{message}</span>
    </p>
  )
}

interface ReportProps {
  readonly name: string
  readonly url: string
  readonly madeAtMs: number
}

/** A link cannot show the token, so with one the report is fetched and saved. */
function Report({ name, url, madeAtMs }: ReportProps) {
  const nowMs = useStore(clock)
  const hasToken = useStore(token) !== undefined
  const words = `Report, ${formatSpan(nowMs - madeAtMs)} old`
  if (!hasToken)
    return (
      <a class="button plain" href={url} target="_blank" rel="noreferrer">
        <Icon name="open" />
        {words}
      </a>
    )
  return (
    <Action icon="open" act={() => save(url, `${name}.html`)} failed="The report was not saved">
      {words}
    </Action>
  )
}

async function save(url: string, name: string): Promise<void> {
  const blob = await (await send('GET', url)).blob()
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  URL.revokeObjectURL(link.href)
}

function minutesText(minutes: number): string {
  return minutes < 1 ? `${Math.round(minutes * 60)} s` : `${minutes} min`
}
