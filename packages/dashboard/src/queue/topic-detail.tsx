import { useState } from 'preact/hooks'
import type { PartClient } from '../client/part.ts'
import { Action, Button } from '../kit/button.tsx'
import { Confirm } from '../kit/confirm.tsx'
import { formatBytes, formatCount, plural } from '../kit/format.ts'
import { tellDone } from '../kit/notices.tsx'
import { Nothing, Panel } from '../kit/panel.tsx'
import { Problem } from '../kit/problem.tsx'
import { type Column, Table } from '../kit/table.tsx'
import { usePolled } from '../live/polled.ts'
import { linkTo } from '../shell/route.ts'
import { type Group, groupsOf } from './groups.ts'
import { MessageList } from './message-list.tsx'
import { PublishDialog } from './publish-dialog.tsx'
import {
  deleteTopic,
  type Lag,
  type Message,
  peek,
  purge,
  type QueueView,
  readTopic,
  replay,
  type Topic,
} from './queue-api.ts'

interface TopicDetailProps {
  readonly queue: PartClient
  readonly service: string
  readonly name: string
  readonly view: QueueView
  readonly refresh: () => Promise<void>
}

/** One topic: its partitions and groups, its next messages, and what can be done with it. */
export function TopicDetail({ queue, service, name, view, refresh }: TopicDetailProps) {
  const found = usePolled(`${queue.base} ${name}`, () => readTopic(queue, name))
  const [messages, setMessages] = useState<readonly Message[]>()
  const refreshAll = async () => {
    await Promise.all([refresh(), found.refresh()])
    if (messages) setMessages(await peek(queue, name))
  }
  const { topic, lag } = found.value ?? {}
  return (
    <Panel
      title={name}
      actions={
        <TopicActions
          {...{ queue, service, name, view }}
          refresh={refreshAll}
          onPeek={async () => setMessages(await peek(queue, name))}
        />
      }
    >
      {found.problem !== undefined && <Problem text={found.problem} />}
      {topic && lag && (
        <div class="halves">
          <Partitions topic={topic} owners={view.placement[name] ?? []} />
          <Groups lag={lag} />
        </div>
      )}
      {messages && <MessageList messages={messages} onClose={() => setMessages(undefined)} />}
    </Panel>
  )
}

interface TopicActionsProps extends TopicDetailProps {
  readonly onPeek: () => Promise<void>
}

function TopicActions({ queue, service, name, view, refresh, onPeek }: TopicActionsProps) {
  const [asking, setAsking] = useState<'publish' | 'purge' | 'delete'>()
  const origin = view.topics.find(({ options }) => options.deadLetter === name)
  const close = () => {
    setAsking(undefined)
    void refresh()
  }
  return (
    <>
      <Button icon="send" onPress={() => setAsking('publish')}>
        Publish
      </Button>
      <Action icon="eye" act={onPeek} failed={`${name} cannot be looked into`}>
        Peek
      </Action>
      {origin && (
        <Action
          icon="undo"
          act={async () => {
            const count = await replay(queue, name, origin.name)
            tellDone(`${plural(count, 'dead letter')} went back to ${origin.name}`)
            await refresh()
          }}
          failed="The dead letters were not replayed"
        >
          Replay to {origin.name}
        </Action>
      )}
      <Button icon="trash" kind="danger" onPress={() => setAsking('purge')}>
        Purge
      </Button>
      <Button
        icon="close"
        kind="danger"
        label={`Delete ${name}`}
        onPress={() => setAsking('delete')}
      />
      {asking === 'publish' && <PublishDialog queue={queue} topic={name} onClose={close} />}
      {asking === 'purge' && (
        <Confirm
          title={`Purge ${name}?`}
          verb="Remove every message"
          done={`${name} is empty`}
          act={() => purge(queue, name)}
          onClose={close}
        >
          Every message of the topic is removed, for all groups. This cannot be taken back.
        </Confirm>
      )}
      {asking === 'delete' && (
        <Confirm
          title={`Delete ${name}?`}
          verb="Delete the topic"
          done={`${name} is gone`}
          act={async () => {
            await deleteTopic(queue, name)
            location.hash = linkTo('queue', service)
          }}
          onClose={close}
        >
          The topic goes with all its messages. This cannot be taken back.
        </Confirm>
      )}
    </>
  )
}

type Bounds = NonNullable<Topic['bounds']>[number]

function Partitions({
  topic,
  owners,
}: {
  readonly topic: Topic
  readonly owners: readonly string[]
}) {
  const columns: Column<Bounds>[] = [
    { title: 'Partition', cell: ({ partition }) => <b>{partition}</b> },
    { title: 'Broker', cell: ({ partition }) => owners[partition] ?? '–' },
    {
      title: 'Offsets',
      cell: ({ firstOffset, endOffset }) => (
        <span class="mono">
          {firstOffset} … {endOffset}
        </span>
      ),
      isNumber: true,
    },
    { title: 'Stored', cell: ({ bytes }) => formatBytes(bytes), isNumber: true },
  ]
  if (!topic.bounds) return <Nothing>This engine does not tell of partitions.</Nothing>
  return (
    <Table
      label={`Partitions of ${topic.name}`}
      columns={columns}
      rows={topic.bounds}
      keyOf={({ partition }) => String(partition)}
    />
  )
}

function Groups({ lag }: { readonly lag: readonly Lag[] }) {
  const columns: Column<Group>[] = [
    { title: 'Group', cell: ({ name }) => <b>{name}</b> },
    { title: 'Reads', cell: ({ kind }) => (kind === 'work' ? 'as work' : 'by offset') },
    { title: 'Members', cell: ({ members }) => (members < 0 ? '–' : members), isNumber: true },
    { title: 'Behind by', cell: (group) => formatCount(group.lag), isNumber: true },
  ]
  const groups = groupsOf(lag)
  if (groups.length === 0) return <Nothing>No group reads this topic.</Nothing>
  return (
    <Table
      label="Groups"
      columns={columns}
      rows={groups}
      keyOf={({ name, kind }) => `${kind} ${name}`}
    />
  )
}
