import { useState } from 'preact/hooks'
import type { PartClient } from '../client/part.ts'
import { Action, Button } from '../kit/button.tsx'
import { formatCount, formatTime, plural } from '../kit/format.ts'
import { Nothing, Panel } from '../kit/panel.tsx'
import { type Column, Table } from '../kit/table.tsx'
import { type Crossing, type Fence, removeFence } from './herd-api.ts'
import { NewFence } from './new-fence.tsx'
import type { Degrees } from './projection.ts'

interface FencePanelProps {
  readonly herd: PartClient
  readonly fences: readonly Fence[]
  readonly crossings: readonly Crossing[]
  /** Where a new one is proposed. */
  readonly center: Degrees
  readonly refresh: () => Promise<void>
}

/** Fences with who is inside, and who crossed them. */
export function FencePanel({ herd, fences, crossings, center, refresh }: FencePanelProps) {
  const [isMaking, setMaking] = useState(false)
  const remove = async (id: string) => {
    await removeFence(herd, id)
    await refresh()
  }
  return (
    <Panel
      title="Fences"
      note={plural(fences.length, 'fence')}
      actions={
        <Button icon="plus" onPress={() => setMaking(true)}>
          New fence
        </Button>
      }
    >
      {fences.length === 0 ? (
        <Nothing>A fence tells who enters and who leaves. There is none yet.</Nothing>
      ) : (
        <Table label="Fences" columns={columnsOf(remove)} rows={fences} keyOf={({ id }) => id} />
      )}
      {crossings.length > 0 && (
        <ol class="event-log" aria-label="Crossings">
          {crossings.map(({ fence, event, client, heardAtMs }) => (
            <li key={`${fence} ${event} ${client} ${heardAtMs}`}>
              <time>{formatTime(heardAtMs)}</time>
              <span class="pip" aria-hidden="true" />
              <span>
                <b>{client}</b> {verbs[event] ?? event} {fence}
              </span>
            </li>
          ))}
        </ol>
      )}
      {isMaking && (
        <NewFence
          herd={herd}
          center={center}
          onClose={() => {
            setMaking(false)
            void refresh()
          }}
        />
      )}
    </Panel>
  )
}

const verbs: Readonly<Record<string, string>> = {
  enter: 'entered',
  leave: 'left',
  move: 'moved in',
}

function columnsOf(remove: (id: string) => Promise<void>): readonly Column<Fence>[] {
  return [
    { title: 'Fence', cell: ({ id }) => <b>{id}</b> },
    { title: 'Shape', cell: shapeText },
    { title: 'Inside', cell: ({ inside }) => formatCount(inside), isNumber: true },
    { title: 'Entered', cell: ({ entered }) => formatCount(entered), isNumber: true },
    { title: 'Left', cell: ({ left }) => formatCount(left), isNumber: true },
    {
      title: 'Actions',
      isSilent: true,
      cell: ({ id }) => (
        <div class="row-actions">
          <Action
            icon="trash"
            label={`Remove the fence ${id}`}
            kind="bare"
            act={() => remove(id)}
            failed="The fence was not removed"
          />
        </div>
      ),
    },
  ]
}

function shapeText({ circle, box }: Fence): string {
  if (circle)
    return `${circle.radiusKm} km around ${circle.latitude.toFixed(3)}, ${circle.longitude.toFixed(3)}`
  if (!box) return ''
  return `${box.south.toFixed(2)}, ${box.west.toFixed(2)} to ${box.north.toFixed(2)}, ${box.east.toFixed(2)}`
}
