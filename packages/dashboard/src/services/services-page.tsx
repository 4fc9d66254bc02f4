import { Nothing } from '../kit/panel.tsx'
import { status } from '../live/instance.ts'
import { useStore } from '../live/store.ts'
import { route } from '../shell/route.ts'
import { ServiceDetail } from './service-detail.tsx'
import { ServiceList } from './service-list.tsx'

/** All services at the left, one of them in detail. */
export function ServicesPage() {
  const services = useStore(status)?.services ?? []
  const { rest } = useStore(route)
  const wanted = rest[0] ?? services[0]?.name
  const chosen = services.find(({ name }) => name === wanted)
  return (
    <div class="master-detail">
      <ServiceList services={services} chosen={chosen?.name} />
      <div class="detail">
        {chosen ? (
          <ServiceDetail key={chosen.name} service={chosen} />
        ) : (
          <Nothing>
            {wanted === undefined
              ? 'No service is configured.'
              : `No service is called “${wanted}”.`}
          </Nothing>
        )}
      </div>
    </div>
  )
}
