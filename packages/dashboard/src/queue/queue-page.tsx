import { useMemo, useState } from 'preact/hooks'
import type { Part } from '../client/admin.ts'
import { createPartClient } from '../client/part.ts'
import { Button } from '../kit/button.tsx'
import { Nothing } from '../kit/panel.tsx'
import { Problem } from '../kit/problem.tsx'
import { usePolled } from '../live/polled.ts'
import { useStore } from '../live/store.ts'
import { usePart } from '../shell/part-of.ts'
import { PartPicker } from '../shell/part-picker.tsx'
import { route } from '../shell/route.ts'
import { BrokerPanel } from './broker-panel.tsx'
import { NewTopicDialog } from './new-topic-dialog.tsx'
import { readQueue } from './queue-api.ts'
import { TopicDetail } from './topic-detail.tsx'
import { TopicTable } from './topic-table.tsx'

/** Topics, their partitions on the brokers, and what can be done with messages. */
export function QueuePage() {
  const part = usePart('queue')
  return part ? <Queue key={part.service} part={part} /> : null
}

function Queue({ part }: { readonly part: Part }) {
  const queue = useMemo(() => createPartClient(part), [part.base])
  const { value: view, problem, refresh } = usePolled(part.base, () => readQueue(queue))
  const { rest } = useStore(route)
  const [isMaking, setMaking] = useState(false)
  if (!view)
    return problem === undefined ? <Nothing>Reading …</Nothing> : <Problem text={problem} />
  const chosen = view.topics.find(({ name }) => name === rest[1])
  return (
    <>
      <header class="page-head">
        <h1>Queue</h1>
        <div class="actions">
          <PartPicker section="queue" chosen={part} />
          <Button icon="plus" onPress={() => setMaking(true)}>
            New topic
          </Button>
        </div>
      </header>
      {problem !== undefined && <Problem text={problem} />}
      <TopicTable service={part.service} view={view} chosen={chosen?.name} />
      {chosen && (
        <TopicDetail
          key={chosen.name}
          {...{ queue, view, refresh, service: part.service }}
          name={chosen.name}
        />
      )}
      <BrokerPanel queue={queue} view={view} refresh={refresh} />
      {isMaking && (
        <NewTopicDialog
          queue={queue}
          onClose={() => {
            setMaking(false)
            void refresh()
          }}
        />
      )}
    </>
  )
}
