import type { ComponentType } from 'preact'
import { ChunksPage } from '../chunks/chunks-page.tsx'
import { EventsPage } from '../events/events-page.tsx'
import { ExperimentsPage } from '../experiments/experiments-page.tsx'
import { HerdPage } from '../herd/herd-page.tsx'
import { JobsPage } from '../jobs/jobs-page.tsx'
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
  { name: 'jobs', title: 'Jobs', icon: 'jobs', part: 'jobs', page: JobsPage },
  { name: 'chunks', title: 'Chunks', icon: 'chunks', part: 'chunks', page: ChunksPage },
  { name: 'experiments', title: 'Experiments', icon: 'experiments', page: ExperimentsPage },
  { name: 'events', title: 'Events', icon: 'events', page: EventsPage },
]
