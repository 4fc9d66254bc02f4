import type { InstanceEvent } from '../client/admin.ts'
import { formatTime } from '../kit/format.ts'
import { Nothing } from '../kit/panel.tsx'

interface EventLogProps {
  readonly events: readonly InstanceEvent[]
  /** What is said when there are none. */
  readonly empty: string
}

/** Events, the newest first. */
export function EventLog({ events, empty }: EventLogProps) {
  if (events.length === 0) return <Nothing>{empty}</Nothing>
  return (
    <ol class="event-log">
      {events.toReversed().map(({ id, atMs, level, message }) => (
        <li key={id} class={`level-${level}`}>
          <time dateTime={new Date(atMs).toISOString()}>{formatTime(atMs)}</time>
          <span class="pip" aria-hidden="true" />
          <span class="message">
            {level === 'warning' && <span class="silent">Warning: </span>}
            {message}
          </span>
        </li>
      ))}
    </ol>
  )
}
