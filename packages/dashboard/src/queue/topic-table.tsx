import { formatBytes, formatCount, plural } from '../kit/format.ts'
import { Nothing, Panel } from '../kit/panel.tsx'
import { type Column, Table } from '../kit/table.tsx'
import { linkTo } from '../shell/route.ts'
import { PlacementStrip } from './placement-strip.tsx'
import type { QueueView, Topic } from './queue-api.ts'

interface TopicTableProps {
  readonly service: string
  readonly view: QueueView
  readonly chosen: string | undefined
}

const idle = { ready: 0, leased: 0, delayed: 0, bytes: 0, lag: 0 }

/** Every topic with what waits in it. */
export function TopicTable({ service, view, chosen }: TopicTableProps) {
  const { topics, figures, placement, brokers } = view
  const of = ({ name }: Topic) => figures.get(name) ?? idle
  const graves = new Set(topics.map(({ options }) => options.deadLetter))
  const columns: Column<Topic>[] = [
    {
      title: 'Topic',
      cell: ({ name }) => (
        <a
          href={linkTo('queue', service, name)}
          aria-current={name === chosen ? 'true' : undefined}
        >
          <b>{name}</b>
          {graves.has(name) && <span class="muted"> dead letters</span>}
        </a>
      ),
    },
    {
      title: 'Partitions',
      cell: ({ name, partitions }) => (
        <PlacementStrip
          partitions={partitions}
          owners={placement[name] ?? []}
          brokers={brokers.map((broker) => broker.name)}
        />
      ),
      isWide: true,
    },
    { title: 'Ready', cell: (topic) => formatCount(of(topic).ready), isNumber: true },
    { title: 'Handed out', cell: (topic) => formatCount(of(topic).leased), isNumber: true },
    { title: 'Delayed', cell: (topic) => formatCount(of(topic).delayed), isNumber: true },
    { title: 'Lag', cell: (topic) => formatCount(of(topic).lag), isNumber: true },
    { title: 'Stored', cell: (topic) => formatBytes(of(topic).bytes), isNumber: true },
  ]
  return (
    <Panel title="Topics" note={plural(topics.length, 'topic')}>
      {topics.length === 0 ? (
        <Nothing>
          There is no topic yet. The first message does not make one: “New topic” does.
        </Nothing>
      ) : (
        <Table
          label="Topics"
          columns={columns}
          rows={topics}
          keyOf={({ name }) => name}
          classOf={({ name }) => (name === chosen ? 'chosen' : '')}
        />
      )}
    </Panel>
  )
}
