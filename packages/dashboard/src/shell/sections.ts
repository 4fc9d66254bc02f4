import type { ComponentType } from 'preact'
import { EventsPage } from '../events/events-page.tsx'
import { HerdPage } from '../herd/herd-page.tsx'
import type { IconName } from '../kit/icon.tsx'
import { QueuePage } from '../queue/queue-page.tsx'
import { ServicesPage } from '../services/services-page.tsx'

/** A page of the dashboard. */
export interface Section {
  readonly name: string
  readonly title: string
  readonly icon: IconName
  /** The kind of part that must run for it; without one it is always there. */
  readonly part?: string
  readonly page: ComponentType
}

/** Every page in the order of the navigation: the one place to add to. */
export const sections: readonly Section[] = [
  { name: 'services', title: 'Services', icon: 'services', page: ServicesPage },
  { name: 'queue', title: 'Queue', icon: 'queue', part: 'queue', page: QueuePage },
  { name: 'herd', title: 'Herd', icon: 'herd', part: 'herd', page: HerdPage },
  { name: 'events', title: 'Events', icon: 'events', page: EventsPage },
]
