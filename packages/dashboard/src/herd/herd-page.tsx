import { useMemo, useState } from 'preact/hooks'
import type { Part } from '../client/admin.ts'
import { createPartClient } from '../client/part.ts'
import { Button } from '../kit/button.tsx'
import { plural } from '../kit/format.ts'
import { Nothing, Panel } from '../kit/panel.tsx'
import { Problem } from '../kit/problem.tsx'
import { parts } from '../live/instance.ts'
import { usePolled } from '../live/polled.ts'
import { useStore } from '../live/store.ts'
import { colorOf } from '../ring/colors.ts'
import { ClientTable } from './client-table.tsx'
import { serverNames } from './edges.ts'
import { FencePanel } from './fence-panel.tsx'
import { readFences, readServers } from './herd-api.ts'
import { useHerdLive } from './herd-live.ts'
import { LinkPanel } from './link-panel.tsx'
import { PlaceDialog } from './place-dialog.tsx'
import type { Degrees } from './projection.ts'
import { WorldMap } from './world-map.tsx'

/** The servers of the herd, their links, and where everybody is. */
export function HerdPage() {
  const own = useStore(parts).filter(({ part }) => part === 'herd')
  const ready = own.filter(({ replicas }) => replicas.some((one) => one.ready))
  const [wanted, setWanted] = useState<string>()
  const teller = ready.find(({ service }) => service === wanted) ?? ready[0]
  return (
    <>
      <header class="page-head">
        <h1>Herd</h1>
        <label class="check">
          Seen by
          <select
            value={teller?.service}
            onChange={(event) => setWanted(event.currentTarget.value)}
          >
            {ready.map(({ service }) => (
              <option key={service}>{service}</option>
            ))}
          </select>
        </label>
      </header>
      {teller ? (
        <Herd parts={own} ready={ready} teller={teller} />
      ) : (
        <Problem text="No server of the herd answers." />
      )}
    </>
  )
}

interface HerdProps {
  readonly parts: readonly Part[]
  readonly ready: readonly Part[]
  /** The server whose map is shown; all should tell the same. */
  readonly teller: Part
}

function Herd({ parts: own, ready, teller }: HerdProps) {
  const herd = useMemo(() => createPartClient(teller), [teller.base])
  const { clients, crossings, isOpen } = useHerdLive(teller)
  const found = usePolled(`herd ${teller.base}`, async () => {
    const [servers, fences] = await Promise.all([readServers(own), readFences(herd)])
    return { servers, fences }
  })
  const [place, setPlace] = useState<Degrees>()
  const { servers = [], fences = [] } = found.value ?? {}
  const names = serverNames(servers)
  const serverColor = (server: string) => colorOf(Math.max(0, names.indexOf(server)))
  const [newest] = [...clients.values()].sort((one, other) => other.heardAtMs - one.heardAtMs)
  const center = newest ?? { latitude: 34.0689, longitude: -118.4451 }
  return (
    <>
      {found.problem !== undefined && <Problem text={found.problem} />}
      <Panel
        title="Map"
        note={`${plural(clients.size, 'client')}${isOpen ? ', live' : ', waiting for the server'}`}
        actions={
          <Button icon="plus" onPress={() => setPlace(center)}>
            Place a client
          </Button>
        }
      >
        <WorldMap clients={clients} fences={fences} colorOf={serverColor} onPlace={setPlace} />
      </Panel>
      {found.value && (
        <LinkPanel parts={own} servers={servers} colorOf={serverColor} refresh={found.refresh} />
      )}
      <Panel title="Clients" note="heard last">
        {isOpen || clients.size > 0 ? (
          <ClientTable herd={herd} clients={clients} colorOf={serverColor} />
        ) : (
          <Nothing>Waiting for the server …</Nothing>
        )}
      </Panel>
      {found.value && (
        <FencePanel {...{ herd, fences, crossings, refresh: found.refresh }} center={center} />
      )}
      {place && <PlaceDialog parts={ready} place={place} onClose={() => setPlace(undefined)} />}
    </>
  )
}
