import type { Part } from '../client/admin.ts'
import { createPartClient } from '../client/part.ts'
import { Action } from '../kit/button.tsx'
import { formatCount, formatSeconds, formatSpan, plural } from '../kit/format.ts'
import { Panel } from '../kit/panel.tsx'
import { StateBadge } from '../kit/state-badge.tsx'
import { type Column, Table } from '../kit/table.tsx'
import { clock } from '../live/instance.ts'
import { useStore } from '../live/store.ts'
import { type Edge, edgesOf, serverNames } from './edges.ts'
import { cutLink, type Server } from './herd-api.ts'
import { LinkGraph } from './link-graph.tsx'

interface LinkPanelProps {
  readonly parts: readonly Part[]
  readonly servers: readonly Server[]
  readonly colorOf: (server: string) => string
  readonly refresh: () => Promise<void>
}

/** Who is linked with whom, drawn and listed; links are cut and restored here. */
export function LinkPanel({ parts, servers, colorOf, refresh }: LinkPanelProps) {
  const edges = edgesOf(servers)
  const alive = new Set(servers.flatMap(({ name }) => name ?? []))
  const silent = servers.filter(({ name }) => name === undefined)
  const cut = async (edge: Edge) => {
    const isCut = edge.state === 'cut'
    const by = isCut ? edge.cutBy : edge.ends.filter((end) => alive.has(end)).slice(0, 1)
    for (const name of by) {
      const { service } = servers.find((server) => server.name === name) ?? {}
      const part = parts.find((one) => one.service === service)
      const peer = edge.ends.find((end) => end !== name)
      if (part && peer) await cutLink(createPartClient(part), peer, !isCut)
    }
    await refresh()
  }
  return (
    <Panel
      title="Links"
      note={
        silent.length === 0
          ? `${plural(alive.size, 'server')}, all up`
          : `no answer from ${silent.map(({ service }) => service).join(', ')}`
      }
    >
      <div class="links">
        <LinkGraph names={serverNames(servers)} edges={edges} alive={alive} colorOf={colorOf} />
        <Table
          label="Links"
          columns={useColumns(cut)}
          rows={edges}
          keyOf={({ ends }) => ends.join(' ')}
        />
      </div>
    </Panel>
  )
}

function useColumns(cut: (edge: Edge) => Promise<void>): readonly Column<Edge>[] {
  const nowMs = useStore(clock)
  return [
    { title: 'Between', cell: ({ ends }) => <b>{ends.join(' – ')}</b> },
    {
      title: 'State',
      cell: ({ state, sinceMs, reason }) => (
        <div class="stacked">
          <span>
            <StateBadge state={state} />{' '}
            {sinceMs !== undefined && <span class="muted">for {formatSpan(nowMs - sinceMs)}</span>}
          </span>
          {state !== 'linked' && reason !== undefined && <span class="muted reason">{reason}</span>}
        </div>
      ),
      isWide: true,
    },
    {
      title: 'Round trip',
      cell: ({ rttMs }) => formatSeconds(rttMs === undefined ? undefined : rttMs / 1_000),
      isNumber: true,
    },
    { title: 'Records', cell: ({ records }) => formatCount(records), isNumber: true },
    { title: 'Waiting', cell: ({ waiting }) => formatCount(waiting), isNumber: true },
    {
      title: 'Actions',
      isSilent: true,
      cell: (edge) => {
        const isCut = edge.state === 'cut'
        return (
          <div class="row-actions">
            <Action
              icon={isCut ? 'undo' : 'cut'}
              label={`${isCut ? 'Restore' : 'Cut'} the link ${edge.ends.join(' – ')}`}
              kind="bare"
              act={() => cut(edge)}
              done={`${edge.ends.join(' – ')} is ${isCut ? 'restored' : 'cut'}`}
              failed="The link did not change"
            >
              {isCut ? 'Restore' : 'Cut'}
            </Action>
          </div>
        )
      },
    },
  ]
}
