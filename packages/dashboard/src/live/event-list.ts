import type { InstanceEvent } from '../client/admin.ts'
import { eventsMax } from '../options.ts'

/** Events in the order of their ids, each once, the last thousand. */
export interface EventList {
  readonly events: readonly InstanceEvent[]
  /** 0 before the first: a stream goes on after it. */
  readonly lastId: number
}

export const noEvents: EventList = { events: [], lastId: 0 }

/** Returns the list with those of `news` that it does not have yet. */
export function withEvents(list: EventList, news: readonly InstanceEvent[]): EventList {
  const fresh = news.filter(({ id }) => id > list.lastId)
  if (fresh.length === 0) return list
  return {
    events: [...list.events, ...fresh].slice(-eventsMax),
    lastId: fresh.at(-1)?.id ?? list.lastId,
  }
}
