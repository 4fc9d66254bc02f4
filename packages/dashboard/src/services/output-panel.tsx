import { useState } from 'preact/hooks'
import { type Answer, admin, type Service } from '../client/admin.ts'
import { Button } from '../kit/button.tsx'
import { formatTime } from '../kit/format.ts'
import { Nothing, Panel } from '../kit/panel.tsx'
import { Problem } from '../kit/problem.tsx'
import { usePolled } from '../live/polled.ts'
import { ReplicaSelect } from './replica-select.tsx'

type Line = Answer<'GET /v1/services/{service}/logs'>[number]

const linesShown = 200

/** What replicas write, once somebody wants to see it. */
export function OutputPanel({ service }: { readonly service: Service }) {
  const [isOpen, setOpen] = useState(false)
  const [replica, setReplica] = useState('')
  return (
    <Panel
      title="Output"
      note={isOpen ? `the last ${linesShown} lines, the newest first` : undefined}
      actions={
        <>
          {isOpen && (
            <ReplicaSelect
              label="Output of"
              service={service}
              chosen={replica}
              onChoose={setReplica}
            />
          )}
          <Button icon={isOpen ? 'close' : 'eye'} onPress={() => setOpen(!isOpen)}>
            {isOpen ? 'Hide' : 'Show'}
          </Button>
        </>
      }
    >
      {isOpen && <Output service={service.name} replica={replica} />}
    </Panel>
  )
}

interface OutputProps {
  readonly service: string
  readonly replica: string
}

function Output({ service, replica }: OutputProps) {
  const query = { lines: linesShown, ...(replica === '' ? {} : { replica }) }
  const { value, problem } = usePolled(`output ${service} ${replica}`, () =>
    admin('GET /v1/services/{service}/logs', { path: { service }, query }),
  )
  if (problem !== undefined) return <Problem text={problem} />
  if (!value) return <Nothing>Reading …</Nothing>
  if (value.length === 0) return <Nothing>It has written nothing.</Nothing>
  return <pre class="output">{value.toReversed().map(lineText).join('\n')}</pre>
}

function lineText({ atMs, replica, stream, text }: Line): string {
  return `${formatTime(atMs)} ${replica}${stream === 'stderr' ? ' !' : ''}  ${text}`
}
