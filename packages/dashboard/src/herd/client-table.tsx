import { useState } from 'preact/hooks'
import type { PartClient } from '../client/part.ts'
import { Action } from '../kit/button.tsx'
import { Dialog } from '../kit/dialog.tsx'
import { formatSpan, plural } from '../kit/format.ts'
import { Nothing } from '../kit/panel.tsx'
import { type Column, Table } from '../kit/table.tsx'
import { clock } from '../live/instance.ts'
import { useStore } from '../live/store.ts'
import { askPlaces, type Client } from './herd-api.ts'

interface ClientTableProps {
  readonly herd: PartClient
  readonly clients: ReadonlyMap<string, Client>
  readonly colorOf: (server: string) => string
}

const rowsMax = 8
const nearby = { radiusKm: 10, most: 10 }

/** Who was heard last. */
export function ClientTable({ herd, clients, colorOf }: ClientTableProps) {
  const nowMs = useStore(clock)
  const [asked, setAsked] = useState<{ client: string; places: readonly string[] }>()
  const latest = [...clients.values()]
    .sort((one, other) => other.heardAtMs - one.heardAtMs)
    .slice(0, rowsMax)
  const ask = async (client: string) =>
    setAsked({ client, places: await askPlaces(herd, client, nearby.radiusKm, nearby.most) })
  const columns: readonly Column<Client>[] = [
    { title: 'Client', cell: ({ client }) => <b>{client}</b> },
    {
      title: 'Place',
      cell: ({ latitude, longitude }) => (
        <span class="mono">
          {latitude.toFixed(4)}, {longitude.toFixed(4)}
        </span>
      ),
    },
    {
      title: 'Heard by',
      cell: ({ server, heardAtMs }) => (
        <>
          <span class="swatch" style={{ background: `var(${colorOf(server)})` }} /> {server}{' '}
          <span class="muted">{formatSpan(nowMs - heardAtMs)} ago</span>
        </>
      ),
      isWide: true,
    },
    {
      title: 'Actions',
      isSilent: true,
      cell: ({ client }) => (
        <div class="row-actions">
          <Action
            icon="eye"
            label={`Places near ${client}`}
            kind="bare"
            act={() => ask(client)}
            failed={`Nothing is known near ${client}`}
          >
            Near
          </Action>
        </div>
      ),
    },
  ]
  if (latest.length === 0)
    return <Nothing>Nobody was heard yet. Press on the map to say where a client is.</Nothing>
  return (
    <>
      <Table label="Clients" columns={columns} rows={latest} keyOf={({ client }) => client} />
      {clients.size > latest.length && (
        <p class="nothing">and {plural(clients.size - latest.length, 'client')} more on the map</p>
      )}
      {asked && (
        <Dialog
          title={`Within ${nearby.radiusKm} km of ${asked.client}`}
          onClose={() => setAsked(undefined)}
        >
          <ul class="dialog-body">
            {asked.places.map((place) => (
              <li key={place}>{place}</li>
            ))}
            {asked.places.length === 0 && <li class="muted">No place is known there.</li>}
          </ul>
        </Dialog>
      )}
    </>
  )
}
