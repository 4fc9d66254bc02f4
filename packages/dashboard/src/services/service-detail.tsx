import type { Service, Status } from '../client/admin.ts'
import { plural } from '../kit/format.ts'
import { Icon } from '../kit/icon.tsx'
import { status } from '../live/instance.ts'
import { useStore } from '../live/store.ts'
import { RingPanel } from '../ring/ring-panel.tsx'
import { History } from './history.tsx'
import { OutputPanel } from './output-panel.tsx'
import { ReplicaTable } from './replica-table.tsx'
import { ServiceActions } from './service-actions.tsx'
import { ServiceCharts } from './service-charts.tsx'

/** One service: what runs, what it does, and everything that can be done with it. */
export function ServiceDetail({ service }: { readonly service: Service }) {
  const { kind, trouble, panic, waiting, name } = service
  const listeners = useStore(status)?.listeners ?? []
  return (
    <>
      <header class="page-head">
        <div>
          <h2>{name}</h2>
          <Facts service={service} listeners={listeners} />
        </div>
        <ServiceActions service={service} />
      </header>
      {trouble !== null && <Warning>{trouble}</Warning>}
      {panic && (
        <Warning>Too few replicas are sound: those that are out get requests as well.</Warning>
      )}
      {waiting > 0 && <Warning>{plural(waiting, 'request')} wait for a replica.</Warning>}
      <ReplicaTable service={service} />
      <ServiceCharts service={service} />
      <RingPanel service={service} />
      <History service={service} />
      {kind !== 'addresses' && <OutputPanel service={service} />}
    </>
  )
}

function Warning({ children }: { readonly children: preact.ComponentChildren }) {
  return (
    <p class="warning" role="alert">
      <Icon name="alert" />
      <span>{children}</span>
    </p>
  )
}

interface FactsProps {
  readonly service: Service
  readonly listeners: Status['listeners']
}

function Facts({ service, listeners }: FactsProps) {
  const { name, kind, policy, retriesTotal } = service
  const own = listeners.filter(({ services }) => services.includes(name))
  return (
    <dl class="facts">
      <Fact name="policy">{policy}</Fact>
      <Fact name="runs as">{kind}</Fact>
      {own.map((listener) => (
        <Fact key={listener.name} name="listens on">
          {listener.url.startsWith('http') ? (
            <a href={listener.url} target="_blank" rel="noreferrer">
              {listener.url}
            </a>
          ) : (
            listener.url
          )}{' '}
          <span class="muted">({plural(listener.connectionsOpen, 'connection')})</span>
        </Fact>
      ))}
      {retriesTotal > 0 && <Fact name="sent again">{plural(retriesTotal, 'request')}</Fact>}
    </dl>
  )
}

function Fact({
  name,
  children,
}: {
  readonly name: string
  readonly children: preact.ComponentChildren
}) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
