import { useState } from 'preact/hooks'
import type { Replica, Service } from '../client/admin.ts'
import { formatCount, formatSpan, plural } from '../kit/format.ts'
import { Nothing, Panel } from '../kit/panel.tsx'
import { StateBadge } from '../kit/state-badge.tsx'
import { type Column, Table } from '../kit/table.tsx'
import { clock } from '../live/instance.ts'
import { useStore } from '../live/store.ts'
import { FaultDialog } from './fault-dialog.tsx'
import { ReplicaActions } from './replica-actions.tsx'
import { WeightDialog } from './weight-dialog.tsx'

/** The replicas of a service with their states, figures and actions. */
export function ReplicaTable({ service }: { readonly service: Service }) {
  const { name, replicas, available, wanted } = service
  const [weighing, setWeighing] = useState<string>()
  const [failing, setFailing] = useState<string>()
  const weighed = replicas.find(({ id }) => id === weighing)
  const failed = replicas.find(({ id }) => id === failing)
  const columns = columnsOf(service, setWeighing, setFailing)
  return (
    <Panel title="Replicas" note={`${available} of ${wanted} get requests`}>
      {replicas.length === 0 ? (
        <Nothing>None runs. {wanted === 0 && 'It was scaled to 0.'}</Nothing>
      ) : (
        <Table
          label={`Replicas of ${name}`}
          columns={columns}
          rows={replicas}
          keyOf={({ id }) => id}
        />
      )}
      {weighed && (
        <WeightDialog
          service={name}
          replica={weighed}
          replicas={replicas}
          onClose={() => setWeighing(undefined)}
        />
      )}
      {failed && (
        <FaultDialog service={name} replica={failed.name} onClose={() => setFailing(undefined)} />
      )}
    </Panel>
  )
}

function columnsOf(
  service: Service,
  onWeigh: (id: string) => void,
  onFault: (id: string) => void,
): readonly Column<Replica>[] {
  return [
    { title: 'Replica', cell: (one) => <Name replica={one} /> },
    { title: 'State', cell: (one) => <State replica={one} />, isWide: true },
    { title: 'Process', cell: processOf, isNumber: true },
    { title: 'Weight', cell: ({ weight }) => formatCount(weight), isNumber: true },
    { title: 'In flight', cell: ({ inFlight }) => formatCount(inFlight), isNumber: true },
    {
      title: 'Requests',
      cell: ({ requestsPerSecond, requestsTotal }) => (
        <>
          {formatCount(requestsPerSecond)}/s <span class="muted">{formatCount(requestsTotal)}</span>
        </>
      ),
      isNumber: true,
    },
    {
      title: 'Failed',
      cell: ({ failuresTotal }) => (
        <span class={failuresTotal > 0 ? 'bad-text' : 'muted'}>{formatCount(failuresTotal)}</span>
      ),
      isNumber: true,
    },
    {
      title: 'Actions',
      isSilent: true,
      cell: (one) => (
        <ReplicaActions
          service={service}
          replica={one}
          onWeigh={() => onWeigh(one.id)}
          onFault={() => onFault(one.id)}
        />
      ),
    },
  ]
}

function Name({ replica }: { readonly replica: Replica }) {
  return (
    <div class="stacked">
      <b>{replica.name}</b>
      <span class="muted mono">{replica.address}</span>
    </div>
  )
}

function State({ replica }: { readonly replica: Replica }) {
  const { state, reason, sinceMs, restarts } = replica
  const nowMs = useStore(clock)
  return (
    <div class="stacked">
      <span>
        <StateBadge state={state} />{' '}
        <span class="muted">
          for {formatSpan(nowMs - sinceMs)}
          {restarts > 0 && ` · ${plural(restarts, 'death')} before it`}
        </span>
      </span>
      <span class="muted reason">{reason}</span>
    </div>
  )
}

function processOf({ pid, container }: Replica): string {
  if (container !== null) return container.slice(0, 12)
  return pid === null ? '–' : String(pid)
}
