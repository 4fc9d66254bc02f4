import { useState } from 'preact/hooks'
import type { Service } from '../client/admin.ts'
import { EventLog } from '../events/event-log.tsx'
import { plural } from '../kit/format.ts'
import { Panel } from '../kit/panel.tsx'
import { eventList } from '../live/instance.ts'
import { useStore } from '../live/store.ts'
import { ReplicaSelect } from './replica-select.tsx'

const eventsShown = 60

/** What happened to a service, or to one of its replicas. */
export function History({ service }: { readonly service: Service }) {
  const { events } = useStore(eventList)
  const [replica, setReplica] = useState('')
  const own = events
    .filter((event) => event.service === service.name)
    .filter((event) => replica === '' || event.replica === replica)
    .slice(-eventsShown)
  return (
    <Panel
      title="History"
      note={plural(own.length, 'event')}
      actions={
        <ReplicaSelect
          label="History of"
          service={service}
          chosen={replica}
          onChoose={setReplica}
        />
      }
    >
      <EventLog events={own} empty="Nothing happened to it yet." />
    </Panel>
  )
}
