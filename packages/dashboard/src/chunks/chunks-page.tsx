import { useMemo } from 'preact/hooks'
import type { Part } from '../client/admin.ts'
import { createPartClient, type PartClient } from '../client/part.ts'
import { Action } from '../kit/button.tsx'
import { formatBytes, formatSeconds, formatShare, formatSpan, plural } from '../kit/format.ts'
import { Icon } from '../kit/icon.tsx'
import { Nothing, Panel } from '../kit/panel.tsx'
import { Problem } from '../kit/problem.tsx'
import { StateBadge } from '../kit/state-badge.tsx'
import { type Column, Table } from '../kit/table.tsx'
import { clock, status } from '../live/instance.ts'
import { usePolled } from '../live/polled.ts'
import { useStore } from '../live/store.ts'
import { usePart } from '../shell/part-of.ts'
import { PartPicker } from '../shell/part-picker.tsx'
import { type ChunkRequest, isOpen, readStatus, removeRequest, simulateFull } from './chunks-api.ts'
import { useRequests } from './request-watch.ts'

/** Requests to cut files: their places in the queue, and how far they are. */
export function ChunksPage() {
  const part = usePart('chunks')
  return part ? <Chunks key={part.base} part={part} /> : null
}

function Chunks({ part }: { readonly part: Part }) {
  const chunks = useMemo(() => createPartClient(part), [part.base])
  const { requests, problem } = useRequests(part.base)
  const url = useOwnUrl(part.service)
  const columns = useColumns(chunks, url)
  return (
    <>
      <header class="page-head">
        <h1>Chunks</h1>
        <div class="actions">
          <PartPicker section="chunks" chosen={part} />
          {url !== undefined && (
            <a class="button main" href={url} target="_blank" rel="noreferrer">
              <Icon name="open" />
              Cut a file
            </a>
          )}
        </div>
      </header>
      {problem !== undefined && <Problem text={problem} />}
      <Service chunks={chunks} />
      <Panel title="Requests" note={requests ? plural(requests.length, 'request') : 'reading …'}>
        {requests?.length === 0 && (
          <Nothing>Nobody asked for anything yet. The service’s own page takes files.</Nothing>
        )}
        {requests && requests.length > 0 && (
          <Table label="Requests" columns={columns} rows={requests} keyOf={({ id }) => id} />
        )}
      </Panel>
    </>
  )
}

/** Where the service's own page is, if a listener leads to it. */
function useOwnUrl(service: string): string | undefined {
  const listeners = useStore(status)?.listeners ?? []
  return listeners.find(({ services }) => services.includes(service))?.url
}

function Service({ chunks }: { readonly chunks: PartClient }) {
  const { value, refresh } = usePolled(`${chunks.base} status`, () => readStatus(chunks))
  if (!value) return null
  const { bytesPerSecond, tasks, disk } = value
  const { simulatesFull } = disk
  return (
    <Panel
      title="Service"
      actions={
        <Action
          icon="fault"
          act={async () => {
            await simulateFull(chunks, !simulatesFull)
            await refresh()
          }}
          done={simulatesFull ? 'The disk has room again' : 'The disk acts as if it were full'}
          failed="The disk did not change"
        >
          {simulatesFull ? 'End the full disk' : 'Act as if the disk were full'}
        </Action>
      }
    >
      {simulatesFull && <Problem text="The disk acts as if it were full: uploads are refused." />}
      <dl class="facts inset">
        <div>
          <dt>tasks under way</dt>
          <dd>
            {tasks.running} of {tasks.window}
          </dd>
        </div>
        <div>
          <dt>repeated</dt>
          <dd>{tasks.repeated}</dd>
        </div>
        <div>
          <dt>speed</dt>
          <dd>{bytesPerSecond === 0 ? 'not measured yet' : `${formatBytes(bytesPerSecond)}/s`}</dd>
        </div>
        <div>
          <dt>disk</dt>
          <dd>
            {formatBytes(disk.usedBytes)} of {formatBytes(disk.quotaBytes)}
          </dd>
        </div>
      </dl>
    </Panel>
  )
}

function useColumns(chunks: PartClient, url: string | undefined): readonly Column<ChunkRequest>[] {
  const nowMs = useStore(clock)
  return [
    {
      title: 'File',
      cell: ({ name, bytes }) => (
        <div class="stacked">
          <b class="cut">{name}</b>
          <span class="muted">{formatBytes(bytes)}</span>
        </div>
      ),
    },
    {
      title: 'Cut by',
      cell: ({ by, output }) => (
        <>
          {by} <span class="muted">as {output}</span>
        </>
      ),
    },
    {
      title: 'State',
      cell: (request) => <State request={request} nowMs={nowMs} />,
      isWide: true,
    },
    { title: 'Progress', cell: (request) => <Progress request={request} /> },
    {
      title: 'Actions',
      isSilent: true,
      cell: ({ id, name, state }) => (
        <div class="row-actions">
          {state === 'done' && url !== undefined && (
            <a
              class="button bare"
              href={`${url}/requests/${id}/result`}
              aria-label={`Result of ${name}`}
            >
              Result
            </a>
          )}
          <Action
            icon={isOpen(state) ? 'close' : 'trash'}
            label={`${isOpen(state) ? 'Cancel' : 'Remove'} ${name}`}
            kind="bare"
            act={() => removeRequest(chunks, id)}
            failed={`${name} is still there`}
          >
            {isOpen(state) ? 'Cancel' : 'Remove'}
          </Action>
        </div>
      ),
    },
  ]
}

function State({ request, nowMs }: { readonly request: ChunkRequest; readonly nowMs: number }) {
  const { state, place, estimateMs, error, pieces, endedAtMs, createdAtMs } = request
  const words = [
    place !== undefined && place > 0 ? `place ${place}` : '',
    estimateMs === undefined ? '' : `about ${formatSeconds(estimateMs / 1_000)} more`,
    pieces === undefined ? '' : plural(pieces, 'chunk'),
    `${formatSpan(nowMs - (endedAtMs ?? createdAtMs))} ago`,
  ]
  return (
    <div class="stacked">
      <span>
        <StateBadge state={state} />{' '}
        <span class="muted">{words.filter((word) => word !== '').join(' · ')}</span>
      </span>
      {error && <span class="muted reason">{error.message}</span>}
    </div>
  )
}

function Progress({ request: { name, progress } }: { readonly request: ChunkRequest }) {
  return (
    <span class="progress">
      <progress value={progress} max={1} aria-label={`Progress of ${name}`} />
      {formatShare(progress)}
    </span>
  )
}
