import { useState } from 'preact/hooks'
import { Action, Button } from '../kit/button.tsx'
import { Dialog } from '../kit/dialog.tsx'
import { Field } from '../kit/field.tsx'
import { formatSpan, formatTime, plural } from '../kit/format.ts'
import { Nothing, Panel } from '../kit/panel.tsx'
import { Problem } from '../kit/problem.tsx'
import { StateBadge } from '../kit/state-badge.tsx'
import { type Column, Table } from '../kit/table.tsx'
import { clock } from '../live/instance.ts'
import { usePolled } from '../live/polled.ts'
import { useStore } from '../live/store.ts'
import { type Delivery, readDeliveries, readDelivery, replayDelivery } from './jobs-api.ts'
import type { JobsSession } from './jobs-session.ts'

const states = ['pending', 'delivering', 'delivered', 'failed', 'gone']

/** Who was called when a job ended, and how that went. */
export function DeliveryPanel({ session }: { readonly session: JobsSession }) {
  const { client } = session
  const [state, setState] = useState('')
  const [shown, setShown] = useState<string>()
  const { value, problem, refresh } = usePolled(`${client.base} calls ${state}`, () =>
    readDeliveries(client, state),
  )
  const replay = async (id: string) => {
    await replayDelivery(client, id)
    await refresh()
  }
  const columns = useColumns(replay, setShown)
  return (
    <Panel title="Deliveries" note={value ? plural(value.length, 'call') : 'reading …'}>
      <div class="filters">
        <Field label="State">
          {(control) => (
            <select
              {...control}
              value={state}
              onChange={(event) => setState(event.currentTarget.value)}
            >
              <option value="">all</option>
              {states.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          )}
        </Field>
      </div>
      {problem !== undefined && <Problem text={problem} />}
      {value?.length === 0 && <Nothing>Nobody was called back so far.</Nothing>}
      {value && value.length > 0 && (
        <Table label="Deliveries" columns={columns} rows={value} keyOf={({ id }) => id} />
      )}
      {shown !== undefined && (
        <DeliveryDialog session={session} id={shown} onClose={() => setShown(undefined)} />
      )}
    </Panel>
  )
}

function useColumns(
  replay: (id: string) => Promise<void>,
  onShow: (id: string) => void,
): readonly Column<Delivery>[] {
  const nowMs = useStore(clock)
  return [
    {
      title: 'To',
      cell: ({ url }) => (
        <b class="cut" title={url}>
          {url}
        </b>
      ),
    },
    { title: 'State', cell: ({ state }) => <StateBadge state={state} /> },
    { title: 'Attempt', cell: ({ attempt }) => attempt, isNumber: true },
    {
      title: 'Since',
      cell: ({ createdAt }) => formatSpan(nowMs - Date.parse(createdAt)),
      isNumber: true,
    },
    {
      title: 'Actions',
      isSilent: true,
      cell: ({ id, url }) => (
        <div class="row-actions">
          <Button
            icon="eye"
            label={`What was said to ${url}`}
            kind="bare"
            onPress={() => onShow(id)}
          />
          <Action
            icon="send"
            label={`Call ${url} again`}
            kind="bare"
            act={() => replay(id)}
            done="It is called again"
            failed="It is not called again"
          >
            Replay
          </Action>
        </div>
      ),
    },
  ]
}

interface DeliveryDialogProps {
  readonly session: JobsSession
  readonly id: string
  readonly onClose: () => void
}

function DeliveryDialog({ session, id, onClose }: DeliveryDialogProps) {
  const { client } = session
  const { value, problem } = usePolled(`${client.base} call ${id}`, () => readDelivery(client, id))
  return (
    <Dialog title="Delivery" onClose={onClose}>
      <div class="dialog-body">
        {problem !== undefined && <Problem text={problem} />}
        <pre>{value?.body}</pre>
        <ol class="attempts">
          {value?.attempts?.map(({ attempt, at, tookMs, status, answer, error }) => (
            <li key={`${attempt} ${at}`}>
              <b>{attempt}</b> {formatTime(Date.parse(at))}, {tookMs} ms:{' '}
              {status === undefined ? (error ?? 'no answer') : `answered ${status}`}{' '}
              {answer !== undefined && <span class="muted">{answer}</span>}
            </li>
          ))}
        </ol>
      </div>
    </Dialog>
  )
}
