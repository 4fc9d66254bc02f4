import { useState } from 'preact/hooks'
import type { PartClient } from '../client/part.ts'
import { Button } from '../kit/button.tsx'
import { Confirm } from '../kit/confirm.tsx'
import { Dialog, DialogForm } from '../kit/dialog.tsx'
import { Field } from '../kit/field.tsx'
import { plural } from '../kit/format.ts'
import { Panel } from '../kit/panel.tsx'
import { StateBadge } from '../kit/state-badge.tsx'
import { type Column, Table } from '../kit/table.tsx'
import { colorOf } from '../ring/colors.ts'
import { addBroker, type Broker, type QueueView, removeBroker } from './queue-api.ts'

interface BrokerPanelProps {
  readonly queue: PartClient
  readonly view: QueueView
  readonly refresh: () => Promise<void>
}

/** The brokers with what they have; they come and go while the queue works. */
export function BrokerPanel({ queue, view, refresh }: BrokerPanelProps) {
  const { brokers } = view
  const [isAdding, setAdding] = useState(false)
  const [leaving, setLeaving] = useState<string>()
  if (brokers.length === 0) return null
  const close = () => {
    setAdding(false)
    setLeaving(undefined)
    void refresh()
  }
  return (
    <Panel
      title="Brokers"
      note={plural(brokers.length, 'broker')}
      actions={
        <Button icon="plus" onPress={() => setAdding(true)}>
          Add broker
        </Button>
      }
    >
      <Table
        label="Brokers"
        columns={columnsOf(brokers, setLeaving)}
        rows={brokers}
        keyOf={({ name }) => name}
      />
      {isAdding && <AddDialog queue={queue} brokers={brokers} onClose={close} />}
      {leaving !== undefined && (
        <Confirm
          title={`Remove ${leaving}?`}
          verb="Remove"
          done={`${leaving} has moved away what it had, and ended`}
          act={() => removeBroker(queue, leaving)}
          onClose={close}
        >
          Its partitions move to the other brokers first; nothing is lost.
        </Confirm>
      )}
    </Panel>
  )
}

function columnsOf(
  brokers: readonly Broker[],
  onLeave: (name: string) => void,
): readonly Column<Broker>[] {
  return [
    {
      title: 'Broker',
      cell: (broker) => (
        <span class="share-name">
          <span
            class="swatch"
            style={{ background: `var(${colorOf(brokers.indexOf(broker))})` }}
            aria-hidden="true"
          />
          {broker.name}
        </span>
      ),
    },
    { title: 'State', cell: ({ state }) => <StateBadge state={state} /> },
    {
      title: 'Address',
      cell: ({ address }) => <span class="mono muted">{address}</span>,
      isWide: true,
    },
    { title: 'Process', cell: ({ pid }) => pid ?? '–', isNumber: true },
    { title: 'Partitions', cell: ({ partitions }) => partitions, isNumber: true },
    {
      title: 'Actions',
      isSilent: true,
      cell: ({ name }) => (
        <div class="row-actions">
          <Button icon="trash" label={`Remove ${name}`} kind="bare" onPress={() => onLeave(name)} />
        </div>
      ),
    },
  ]
}

interface AddDialogProps {
  readonly queue: PartClient
  readonly brokers: readonly Broker[]
  readonly onClose: () => void
}

function AddDialog({ queue, brokers, onClose }: AddDialogProps) {
  return (
    <Dialog title="Add a broker" onClose={onClose}>
      <DialogForm
        verb="Add"
        done="The broker has its partitions"
        act={(fields) => addBroker(queue, String(fields.get('name')))}
        onClose={onClose}
      >
        <Field label="Name" hint="The ring gives it its share of the partitions, which move to it.">
          {(control) => (
            <input
              {...control}
              name="name"
              required
              autocomplete="off"
              defaultValue={freeName(brokers)}
            />
          )}
        </Field>
      </DialogForm>
    </Dialog>
  )
}

function freeName(brokers: readonly Broker[]): string {
  const taken = new Set(brokers.map(({ name }) => name))
  for (let number = 0; number <= taken.size; number++)
    if (!taken.has(`broker${number}`)) return `broker${number}`
  return ''
}
