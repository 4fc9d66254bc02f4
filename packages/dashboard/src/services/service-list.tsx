import { admin, type Service } from '../client/admin.ts'
import { Action } from '../kit/button.tsx'
import { formatCount } from '../kit/format.ts'
import { Sparkline } from '../kit/sparkline.tsx'
import { readings, status } from '../live/instance.ts'
import { useStore } from '../live/store.ts'
import { linkTo } from '../shell/route.ts'

interface ServiceListProps {
  readonly services: readonly Service[]
  readonly chosen: string | undefined
}

/** A row for each service: how many of its replicas work, and how much it has to do. */
export function ServiceList({ services, chosen }: ServiceListProps) {
  const isFromFile = typeof useStore(status)?.file === 'string'
  return (
    <section class="service-list" aria-labelledby="service-list">
      <header>
        <h1 id="service-list">Services</h1>
        {isFromFile && (
          <Action
            icon="restart"
            label="Read the configuration file again"
            kind="bare"
            act={() => admin('POST /v1/reload')}
            done="The configuration file is in effect"
            failed="The configuration stays as it was"
          />
        )}
      </header>
      <ul>
        {services.map((service) => (
          <ServiceRow key={service.name} service={service} isChosen={service.name === chosen} />
        ))}
      </ul>
    </section>
  )
}

const sparkReadings = 40

function ServiceRow({
  service,
  isChosen,
}: {
  readonly service: Service
  readonly isChosen: boolean
}) {
  const { name, available, wanted, requestsPerSecond, replicas } = service
  const known = useStore(readings).get(name) ?? []
  const rates = known.slice(-sparkReadings).map((reading) => reading.requestsPerSecond)
  return (
    <li>
      <a href={linkTo('services', name)} aria-current={isChosen ? 'true' : undefined}>
        <span class="name">{name}</span>
        <span class="dots" aria-hidden="true">
          {replicas.slice(0, 12).map(({ id, state }) => (
            <span key={id} class={`dot ${state}`} />
          ))}
        </span>
        <span class={`ready ${available < wanted ? 'short' : ''}`}>
          {available}/{wanted} <span class="silent">replicas ready</span>
        </span>
        <Sparkline values={rates} room={sparkReadings} />
        <span class="rate">
          {formatCount(requestsPerSecond)}/s <span class="silent">requests</span>
        </span>
      </a>
    </li>
  )
}
